-- Corrects how many seats a job has, where a refund that could only be estimated
-- left it open. ARGV: job, generation, seats.
-- Nothing is changed where an operation has begun or ended on it since.
local jk = jobkey(ARGV[1])
local f = redis.call('HMGET', jk, 'gen', 'lane', 'vague')
if (f[1] or '0') ~= ARGV[2] or f[2] or not f[3] then return {'moved'} end
redis.call('HSET', jk, 'seats', ARGV[3])
redis.call('HDEL', jk, 'vague')
return {'ok'}
