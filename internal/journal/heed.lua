-- Takes a job off the list of those to be read, for one caller. ARGV: job, now.
if redis.call('ZREM', P .. 'hints', ARGV[1]) == 0 then return {'taken'} end
redis.call('HSET', jobkey(ARGV[1]), 'hinted', ARGV[2])
return {'ok'}
