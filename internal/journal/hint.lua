-- Notes that something is said to have happened to a job, so that it is read:
-- once for all that is said meanwhile, and no sooner than a while after the last
-- such read. ARGV: job, now, while in ms.
local jk = jobkey(ARGV[1])
local status = redis.call('HGET', jk, 'status')
if not status or status == 'gone' then return {'foreign'} end
local now, last = num(ARGV[2]), num(redis.call('HGET', jk, 'hinted'))
-- A clock that went back must not hold the job up.
if last > now then last = now end
local due = last == 0 and now or math.max(now, last + num(ARGV[3]))
if not redis.call('ZSCORE', P .. 'hints', ARGV[1]) then redis.call('ZADD', P .. 'hints', int(due), ARGV[1]) end
return {'ok'}
