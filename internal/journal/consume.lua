-- Writes what the filled seats of a budget's jobs are worth, all of them, and
-- closes its latch where it measures that. What was filled since the last look counts
-- in the present window. ARGV: now, scope, window, amount, cap, pause_at,
-- measure, resume. Returns {'ok', scope} where it closed.
local now, scope, window = ARGV[1], ARGV[2], ARGV[3]
local sk = P .. 'budget:' .. scope
window = current(sk, window)
local wk = sk .. ':' .. window
redis.call('HSET', sk, 'window', window, 'resume', ARGV[8])
local consumed = num(ARGV[4])
if window ~= 'total' then
  consumed = math.max(0, num(redis.call('HGET', wk, 'consumed')) + consumed - num(redis.call('HGET', sk, 'worth')))
  redis.call('HSET', sk .. ':total', 'consumed', ARGV[4])
end
redis.call('HSET', sk, 'worth', ARGV[4])
redis.call('HSET', wk, 'consumed', int(consumed), 'cap', ARGV[5], 'pause_at', ARGV[6], 'measure', ARGV[7])
if latch(scope, window, sk, wk, now) then return {'ok', scope} end
return {'ok'}
