-- Lists a worker for a while, and forgets those that were not heard of for longer than they said.
-- KEYS: workers (hash: id to the end of its time in ms by this server's clock, a space and its JSON).
-- ARGV: id, JSON, ttl (ms; 0 = forget it), most workers. Answers 'ok', or {'full', 'workers', how many there would be}.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HDEL', KEYS[1], ARGV[1])
local longest = tonumber(ARGV[3])
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local left = tonumber(string.match(all[index + 1], '^%d+')) - now
  if left <= 0 then redis.call('HDEL', KEYS[1], all[index]) end
  longest = math.max(longest, left)
end
if tonumber(ARGV[3]) > 0 then
  local total = redis.call('HLEN', KEYS[1]) + 1
  if total > tonumber(ARGV[4]) then return { 'full', 'workers', total } end
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + tonumber(ARGV[3])) .. ' ' .. ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], longest)
return 'ok'
