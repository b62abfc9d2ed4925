-- Replaces the hypotheses of one round.
-- KEYS: board. ARGV: schema, ttl (ms), most of all rounds, round, how many, JSON list, the supervisor's token.
-- Answers 'ok', 'begun' where there was no board, 'superseded' where a greater token wrote, or {'full', 'hypotheses', how many there would be}.
local field = 'hypotheses:' .. ARGV[4]
local total = tonumber(ARGV[5])
if not has('dropped') then
  local before = tonumber(string.match(get(field) or '0 ', '^%d+'))
  total = total + count('hypotheses') - before
end
if total > tonumber(ARGV[3]) then return { 'full', 'hypotheses', total } end
if not leads(ARGV[7]) then return 'superseded' end
redis.call('HSET', board, field, ARGV[5] .. ' ' .. ARGV[6], 'count:hypotheses', total)
keep()
return found and 'ok' or 'begun'
