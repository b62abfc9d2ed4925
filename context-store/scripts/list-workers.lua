-- The workers that were heard of lately. KEYS: workers (see beat-worker.lua). No ARGV. Answers the JSON of each.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local answer = {}
for _, entry in ipairs(redis.call('HVALS', KEYS[1])) do
  local ends, worker = string.match(entry, '^(%d+) (.*)$')
  if tonumber(ends) > now then answer[#answer + 1] = worker end
end
return answer
