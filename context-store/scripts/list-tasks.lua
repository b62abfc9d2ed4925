-- Lists tasks as open, and wakes the workers when that is news.
-- KEYS: open tasks of one agent. ARGV: ttl (ms), most tasks, 'new' (leave alone what is listed) or 'now' (it may be claimed now),
-- channel, then the members. Answers 'ok'.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local news = 0
for index = 5, #ARGV do
  if ARGV[3] == 'new' then
    news = news + redis.call('ZADD', KEYS[1], 'NX', now, ARGV[index])
  else
    redis.call('ZADD', KEYS[1], now, ARGV[index])
    news = news + 1
  end
end
redis.call('ZREMRANGEBYRANK', KEYS[1], ARGV[2], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
if news > 0 then redis.call('PUBLISH', ARGV[4], '') end
return 'ok'
