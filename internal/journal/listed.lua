-- Writes that a job's applications were read. ARGV: job, now, number of
-- applications, whole or '', calm reads, pending, oldest pending or ''.
local jk = jobkey(ARGV[1])
if redis.call('HEXISTS', jk, 'c') == 0 then return {'foreign'} end
redis.call('HSET', jk, 'listed', ARGV[2], 'counted', ARGV[3], 'calm', ARGV[5], 'pending', ARGV[6], 'oldest', ARGV[7])
if ARGV[4] ~= '' then redis.call('HSET', jk, 'whole', 1) end
return {'ok'}
