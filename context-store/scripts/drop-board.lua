-- Forgets a board on purpose; what stays tells that from one that was lost, until that ends too.
-- KEYS: board. ARGV: schema, ttl (ms). Answers 'ok'.
redis.call('DEL', board)
redis.call('HSET', board, 'schema', schema, 'dropped', '1')
keep()
return 'ok'
