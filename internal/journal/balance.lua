-- Writes the account's balance as just read. ARGV: now, balance, then what was
-- in flight, charged and refunded before it was read.
-- A reading is quiet where nothing moved around it: the first anchors the books,
-- and each tells how far the balance is from them.
local now, balance, inflight, charged, refunded = ARGV[1], num(ARGV[2]), num(ARGV[3]), num(ARGV[4]), num(ARGV[5])
local account = P .. 'account'
local spent, back = num(redis.call('HGET', account, 'charged')), num(redis.call('HGET', account, 'refunded'))
-- What was charged meanwhile may have come after the reading.
redis.call('HSET', account, 'balance', int(balance), 'spent', int(spent - charged), 'read_at', now)
local quiet = inflight == 0 and num(redis.call('HGET', account, 'inflight')) == 0
  and spent == charged and back == refunded
if quiet then
  if not redis.call('HGET', account, 'anchor') then
    redis.call('HSET', account, 'anchor', int(balance + spent - back), 'anchored_at', now)
  end
  redis.call('HSET', account, 'drift', int(num(redis.call('HGET', account, 'anchor')) - spent + back - balance))
end
return {'ok', redis.call('HGET', account, 'inflight') or '0'}
