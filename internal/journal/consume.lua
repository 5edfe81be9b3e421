-- Writes what a campaign's filled seats are worth and closes the latch of a
-- budget that measures it. ARGV: now, scope, window, amount, cap, pause_at,
-- measure, resume. Returns {'ok', scope} where it closed.
local now, scope, window = ARGV[1], ARGV[2], ARGV[3]
local sk = P .. 'budget:' .. scope
window = current(sk, window)
local wk = sk .. ':' .. window
redis.call('HSET', sk, 'window', window, 'resume', ARGV[8])
redis.call('HSET', wk, 'consumed', ARGV[4], 'cap', ARGV[5], 'pause_at', ARGV[6], 'measure', ARGV[7])
if latch(scope, window, sk, wk, now) then return {'ok', scope} end
return {'ok'}
