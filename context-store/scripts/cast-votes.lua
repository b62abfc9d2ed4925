-- Casts votes: of one key the last counts, in the place of the first.
-- KEYS: votes, vote-order. ARGV: ttl (ms), most votes, then key and JSON of each. Answers 'ok', or {'full', what, how many there would be}.
local fresh = 0
local seen = {}
for index = 3, #ARGV, 2 do
  if not seen[ARGV[index]] and redis.call('HEXISTS', KEYS[1], ARGV[index]) == 0 then
    seen[ARGV[index]] = true
    fresh = fresh + 1
  end
end
local total = redis.call('HLEN', KEYS[1]) + fresh
if total > tonumber(ARGV[2]) then return { 'full', 'votes', total } end
for index = 3, #ARGV, 2 do
  if redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1]) == 1 then redis.call('RPUSH', KEYS[2], ARGV[index]) end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
return 'ok'
