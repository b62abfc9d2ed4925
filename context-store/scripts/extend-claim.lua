-- Notes a longer lease, if the claim is still the newest of a task that is not done.
-- KEYS: claims. ARGV: task id, token, end of the lease (ms). Answers 'ok' or 'stale'.
if redis.call('HGET', KEYS[1], ARGV[1] .. ':token') ~= ARGV[2] then return 'stale' end
if redis.call('HEXISTS', KEYS[1], ARGV[1] .. ':done') == 1 then return 'stale' end
redis.call('HSET', KEYS[1], ARGV[1] .. ':expires', ARGV[3])
return 'ok'
