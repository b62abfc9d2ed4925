-- Gives out a new fencing token for a task that is not done. Whoever asks holds the task's lock; the lock may be wrong, the token is not.
-- KEYS: tasks, claims. ARGV: ttl (ms), task id, holder, end of the lease (ms).
-- Answers 'missing', 'done', or {'claimed', token, JSON of the task}.
local task = redis.call('HGET', KEYS[1], ARGV[2])
if not task then return 'missing' end
if redis.call('HEXISTS', KEYS[2], ARGV[2] .. ':done') == 1 then return 'done' end
local token = redis.call('HINCRBY', KEYS[2], ARGV[2] .. ':token', 1)
redis.call('HSET', KEYS[2], ARGV[2] .. ':holder', ARGV[3], ARGV[2] .. ':expires', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return { 'claimed', token, task }
