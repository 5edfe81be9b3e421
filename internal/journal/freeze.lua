-- Stops the sends of every runner. ARGV: holder, freeze, alert subject, alert,
-- journal id.
if ARGV[5] ~= '' then redis.call('SETNX', P .. 'id', ARGV[5]) end
redis.call('HSET', P .. 'frozen', ARGV[1], ARGV[2])
redis.call('HSET', P .. 'alerts', ARGV[3], ARGV[4])
return {'ok'}
