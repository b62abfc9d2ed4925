-- What may be claimed now, the longest open first, and when the next one may be.
-- KEYS: open tasks of each agent asked for (sorted sets: member to when it may be claimed, ms by this server's clock).
-- ARGV: most of each agent. Answers {ms until the next one ('0' now, '' never), number of the key, member, when, number of the key, ...}.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local answer = { '' }
for number, key in ipairs(KEYS) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  if first then
    local wait = math.max(0, tonumber(first) - now)
    if answer[1] == '' or wait < tonumber(answer[1]) then answer[1] = string.format('%.0f', wait) end
    local due = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
    for index = 1, #due, 2 do
      answer[#answer + 1] = number
      answer[#answer + 1] = due[index]
      answer[#answer + 1] = due[index + 1]
    end
  end
end
return answer
