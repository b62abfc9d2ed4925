-- Adds items of one kind to a board; one whose id is there stays as it is.
-- KEYS: board. ARGV: schema, ttl (ms), kind, most of that kind, then id and JSON of each.
-- Answers 'ok', 'begun' where there was no board, or {'full', kind, how many there would be}.
local kind = ARGV[3]
local items, total = fresh(kind, 5, (#ARGV - 4) / 2)
if total > tonumber(ARGV[4]) then return { 'full', kind, total } end
begin()
add(kind, items)
keep()
return found and 'ok' or 'begun'
