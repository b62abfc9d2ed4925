-- Hands out a new fencing token for a task that is neither done nor held. Whoever asks has the task's lock; the lock may be
-- wrong, so this looks again. A token is greater than the task's last one, and no less than this server's clock in
-- microseconds: should the board be lost, or lag behind on a replica that takes over, no later claim gets an older one's token.
-- KEYS: board. ARGV: schema, ttl (ms), task id, holder, lease (ms).
-- Answers 'no-board', 'missing', 'done', {'held', ms that are left of the lease}, or {'claimed', token, JSON of the task}.
if not found then return 'no-board' end
local id = ARGV[3]
local task = get('tasks:' .. id)
if not task then return 'missing' end
if has('done:' .. id) then return 'done' end
local now = now_us()
local left = tonumber(get('until:' .. id) or '0') - math.floor(now / 1000)
if left > 0 then return { 'held', left } end
local token = text(math.max(tonumber(get('token:' .. id) or '0') + 1, now))
local ends = text(math.floor(now / 1000) + tonumber(ARGV[5]))
redis.call('HSET', board, 'token:' .. id, token, 'holder:' .. id, ARGV[4], 'until:' .. id, ends)
keep()
return { 'claimed', token, string.match(task, '^%d+ (.*)$') }
