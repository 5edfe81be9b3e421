-- Notes on a queued create that its price is being asked for. ARGV: id, 1 or ''.
local k = opkey(ARGV[1])
if redis.call('HGET', k, 's') ~= 'queued' then return {'state'} end
if ARGV[2] == '' then redis.call('HDEL', k, 'qa') else redis.call('HSET', k, 'qa', ARGV[2]) end
return {'ok'}
