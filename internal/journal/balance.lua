-- Writes the account's balance as just read. ARGV: now, balance, quiet (1 where
-- nothing was in flight before and after the read).
local account = P .. 'account'
redis.call('HSET', account, 'balance', ARGV[2], 'spent', 0, 'read_at', ARGV[1])
if ARGV[3] == '1' and not redis.call('HGET', account, 'anchor') then
  local net = num(redis.call('HGET', account, 'charged')) - num(redis.call('HGET', account, 'refunded'))
  redis.call('HSET', account, 'anchor', int(num(ARGV[2]) + net), 'anchored_at', ARGV[1])
end
return {'ok', redis.call('HGET', account, 'inflight') or '0'}
