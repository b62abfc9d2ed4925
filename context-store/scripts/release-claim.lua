-- Gives a task back, if the claim is the newest and the task is not done.
-- KEYS: board. ARGV: schema, ttl (ms), task id, token. Answers 'ok' or 'stale'.
local id = ARGV[3]
if not rules(id, ARGV[4]) then return 'stale' end
redis.call('HDEL', board, 'holder:' .. id, 'until:' .. id)
keep()
return 'ok'
