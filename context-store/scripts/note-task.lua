-- Notes that a listed task is held, or takes it off the list; one that is not listed stays so.
-- KEYS: open tasks of one agent. ARGV: ttl (ms), member, when it was thought to be claimable ('' = whatever is noted: otherwise
-- nothing happens where something else is), ms until it may be claimed ('' = never: off the list). Answers 'ok'.
if ARGV[3] ~= '' then
  local noted = redis.call('ZSCORE', KEYS[1], ARGV[2])
  if not noted or tonumber(noted) ~= tonumber(ARGV[3]) then return 'ok' end
end
if ARGV[4] == '' then
  redis.call('ZREM', KEYS[1], ARGV[2])
else
  local time = redis.call('TIME')
  local due = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[4])
  redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', due), ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 'ok'
