-- Prolongs a lease, also one that ran out unless somebody else claimed the task since.
-- KEYS: board. ARGV: schema, ttl (ms), task id, token, lease (ms). Answers 'ok' or 'stale'.
local id = ARGV[3]
if not rules(id, ARGV[4]) then return 'stale' end
redis.call('HSET', board, 'until:' .. id, text(math.floor(now_us() / 1000) + tonumber(ARGV[5])))
keep()
return 'ok'
