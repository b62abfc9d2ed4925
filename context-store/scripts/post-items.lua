-- Adds items to a list; one whose id is there stays as it is.
-- KEYS: list, ids. ARGV: ttl (ms), what they are, most items, then id and JSON of each. Answers 'ok', or {'full', what, how many there would be}.
local fresh = {}
local seen = {}
for index = 4, #ARGV, 2 do
  if not seen[ARGV[index]] and redis.call('SISMEMBER', KEYS[2], ARGV[index]) == 0 then
    seen[ARGV[index]] = true
    fresh[#fresh + 1] = { ARGV[index], ARGV[index + 1] }
  end
end
local total = redis.call('SCARD', KEYS[2]) + #fresh
if total > tonumber(ARGV[3]) then return { 'full', ARGV[2], total } end
for _, item in ipairs(fresh) do
  redis.call('SADD', KEYS[2], item[1])
  redis.call('RPUSH', KEYS[1], item[2])
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
return 'ok'
