-- Stores a task's answer and closes the task, if the claim is the newest and nobody closed it before: all of it or nothing.
-- KEYS: claims, then list and ids of findings, evidence and gaps.
-- ARGV: ttl (ms), task id, token, failure ('' = none), then for each of the three: most items, number of items, then id and JSON of each.
-- Answers 'accepted', 'stale', or {'full', what, how many there would be}.
local id = ARGV[2]
if redis.call('HGET', KEYS[1], id .. ':token') ~= ARGV[3] then return 'stale' end
if redis.call('HEXISTS', KEYS[1], id .. ':done') == 1 then return 'stale' end
local names = { 'findings', 'evidence', 'gaps' }
local parts = {}
local at = 5
for part = 1, 3 do
  local most, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local list, ids = KEYS[2 * part], KEYS[2 * part + 1]
  local fresh = {}
  local seen = {}
  for item = 0, count - 1 do
    local key = ARGV[at + 2 + 2 * item]
    if not seen[key] and redis.call('SISMEMBER', ids, key) == 0 then
      seen[key] = true
      fresh[#fresh + 1] = { key, ARGV[at + 3 + 2 * item] }
    end
  end
  local total = redis.call('SCARD', ids) + #fresh
  if total > most then return { 'full', names[part], total } end
  parts[part] = { list, ids, fresh }
  at = at + 2 + 2 * count
end
for _, part in ipairs(parts) do
  for _, item in ipairs(part[3]) do
    redis.call('SADD', part[2], item[1])
    redis.call('RPUSH', part[1], item[2])
  end
end
redis.call('HSET', KEYS[1], id .. ':done', '1')
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], id .. ':failure', ARGV[4]) end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
return 'accepted'
