-- Takes the balance as it is for what the books expect. ARGV: the anchor as it
-- was read and as it shall be, then charged and refunded as they were read.
local account = P .. 'account'
local anchor = redis.call('HGET', account, 'anchor')
if anchor == ARGV[2] then return {'ok'} end
if anchor ~= ARGV[1] or num(redis.call('HGET', account, 'inflight')) ~= 0
  or num(redis.call('HGET', account, 'charged')) ~= num(ARGV[3])
  or num(redis.call('HGET', account, 'refunded')) ~= num(ARGV[4]) then
  return {'moved'}
end
redis.call('HSET', account, 'anchor', ARGV[2], 'drift', '0')
return {'ok'}
