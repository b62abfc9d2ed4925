-- Casts votes: of one key the last counts, in the place of the first.
-- KEYS: board. ARGV: schema, ttl (ms), most votes, the supervisor's token, then key and JSON of each.
-- Answers 'ok', 'begun' where there was no board, 'superseded' where a greater token wrote, or {'full', 'votes', how many there would be}.
local items, total = fresh('votes', 5, (#ARGV - 4) / 2)
if total > tonumber(ARGV[3]) then return { 'full', 'votes', total } end
if not leads(ARGV[4]) then return 'superseded' end
add('votes', items)
for index = 5, #ARGV, 2 do
  local field = 'votes:' .. ARGV[index]
  redis.call('HSET', board, field, string.match(get(field), '^%d+') .. ' ' .. ARGV[index + 1])
end
keep()
return found and 'ok' or 'begun'
