-- Lists tasks as open, and wakes the workers.
-- KEYS: open tasks of one agent. ARGV: ttl (ms), most tasks, 'new' (leave alone what is listed) or 'now' (it may be claimed now),
-- channel, then the members. Answers 'ok'.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for index = 5, #ARGV do
  if ARGV[3] == 'new' then
    redis.call('ZADD', KEYS[1], 'NX', now, ARGV[index])
  else
    redis.call('ZADD', KEYS[1], now, ARGV[index])
  end
end
redis.call('ZREMRANGEBYRANK', KEYS[1], ARGV[2], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[4], '')
return 'ok'
