-- Puts tasks on a board; one that is there stays as it is.
-- KEYS: tasks, task-order, claims. ARGV: ttl (ms), most tasks, then id and JSON of each.
-- Answers 'ok', or {'full', how many there would be}.
local fresh = 0
for index = 3, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[index]) == 0 then fresh = fresh + 1 end
end
local count = redis.call('HLEN', KEYS[1]) + fresh
if count > tonumber(ARGV[2]) then return { 'full', 'tasks', count } end
for index = 3, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[index], ARGV[index + 1]) == 1 then
    redis.call('RPUSH', KEYS[2], ARGV[index])
  end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
return 'ok'
