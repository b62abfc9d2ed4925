-- Gives a task back, if the claim is still the newest of a task that is not done.
-- KEYS: claims. ARGV: task id, token. Answers 'ok' or 'stale'.
if redis.call('HGET', KEYS[1], ARGV[1] .. ':token') ~= ARGV[2] then return 'stale' end
if redis.call('HEXISTS', KEYS[1], ARGV[1] .. ':done') == 1 then return 'stale' end
redis.call('HDEL', KEYS[1], ARGV[1] .. ':holder', ARGV[1] .. ':expires')
return 'ok'
