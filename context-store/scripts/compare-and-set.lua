-- Replaces a text where another one, or nothing, is expected to stand.
-- KEYS: the register. ARGV: how long it is kept (ms), new text, and the expected text where one is expected.
-- Answers {'set', new text}, {'stands', text}, or 'nothing' where none stands and one was expected.
local standing = redis.call('GET', KEYS[1])
if standing ~= (ARGV[3] or false) then return standing and { 'stands', standing } or 'nothing' end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1])
return { 'set', ARGV[2] }
