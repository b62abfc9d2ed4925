-- Stores a task's answer and closes the task, if the claim is the newest and nobody closed it before: all of it or nothing.
-- KEYS: board. ARGV: schema, ttl (ms), task id, token, JSON of what else belongs to the answer, then for findings, evidence and gaps each: most of
-- them, how many these are, id and JSON of each.
-- Answers 'accepted', 'stale', or {'full', kind, how many there would be}.
local id = ARGV[3]
if not rules(id, ARGV[4]) then return 'stale' end
local parts = {}
local at = 6
for _, kind in ipairs({ 'findings', 'evidence', 'gaps' }) do
  local number = tonumber(ARGV[at + 1])
  local items, total = fresh(kind, at + 2, number)
  if total > tonumber(ARGV[at]) then return { 'full', kind, total } end
  parts[kind] = items
  at = at + 2 + 2 * number
end
for kind, items in pairs(parts) do add(kind, items) end
redis.call('HSET', board, 'done:' .. id, ARGV[4], 'answer:' .. id, ARGV[5])
keep()
return 'accepted'
