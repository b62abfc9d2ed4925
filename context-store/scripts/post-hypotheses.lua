-- Replaces the hypotheses of one round.
-- KEYS: hypotheses, hypothesis-counts. ARGV: ttl (ms), most of all rounds, round, how many, JSON list. Answers 'ok', or {'full', what, how many there would be}.
local total = tonumber(ARGV[4])
local counts = redis.call('HGETALL', KEYS[2])
for index = 1, #counts, 2 do
  if counts[index] ~= ARGV[3] then total = total + tonumber(counts[index + 1]) end
end
if total > tonumber(ARGV[2]) then return { 'full', 'hypotheses', total } end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[5])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
return 'ok'
