-- Adds what was read after the door was passed to the evidence of an operation
-- that is being sent. ARGV: id, nonce, evidence, event.
local k = opkey(ARGV[1])
if redis.call('HGET', k, 's') ~= 'sending' or redis.call('HGET', k, 'x') ~= ARGV[2] then
  return {'state', redis.call('HGET', k, 's') or ''}
end
if redis.call('HGET', k, 'ev') == ARGV[3] then return {'ok'} end
redis.call('HSET', k, 'ev', ARGV[3])
note(k, ARGV[4])
return {'ok'}
