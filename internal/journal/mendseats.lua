-- Corrects how many seats a job has, where a refund that could only be estimated
-- left it open. ARGV: job, generation, seats.
-- One look may be a copy's that is behind: two must tell the same, while no
-- operation began or ended on the job. Returns {'ok'}, {'noted'} or {'moved'}.
local jk = jobkey(ARGV[1])
local f = redis.call('HMGET', jk, 'gen', 'lane', 'vague')
if (f[1] or '0') ~= ARGV[2] or f[2] or not f[3] then return {'moved'} end
local look = ARGV[2] .. '/' .. ARGV[3]
if f[3] ~= look then
  redis.call('HSET', jk, 'vague', look)
  return {'noted'}
end
redis.call('HSET', jk, 'seats', ARGV[3])
redis.call('HDEL', jk, 'vague')
return {'ok'}
