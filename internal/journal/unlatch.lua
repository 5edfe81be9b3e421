-- A person opens a budget's latch; it stays open for the window it is in.
-- ARGV: scope. Returns {'ok', '1'} where it was closed.
local sk = P .. 'budget:' .. ARGV[1]
local was = redis.call('HGET', sk, 'latched')
if not was then return {'ok', '0'} end
redis.call('HDEL', sk, 'latched', 'latched_window')
redis.call('HSET', sk, 'opened', redis.call('HGET', sk, 'window') or 'total')
redis.call('SREM', P .. 'latched', ARGV[1])
return {'ok', '1'}
