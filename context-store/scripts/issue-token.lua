-- Hands out the next fencing token of a shard: greater than the last one and than the caller's floor, and no less than this server's clock in microseconds, so
-- that no token comes twice when the last one was lost.
-- KEYS: the shard's last token. ARGV: how long it is kept (ms), floor. Answers the token.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local token = string.format('%.0f', math.max(tonumber(redis.call('GET', KEYS[1]) or '0') + 1, tonumber(ARGV[2]) + 1, now))
redis.call('SET', KEYS[1], token, 'PX', ARGV[1])
return token
