-- Writes what the marketplace says of a job that a campaign owns.
-- ARGV: job, now, status, applications, pending or '', title.
local jk = jobkey(ARGV[1])
if redis.call('HEXISTS', jk, 'c') == 0 then return {'foreign'} end
-- A job that does not exist any more keeps what was last known of it.
if ARGV[3] == 'gone' then
  redis.call('HSET', jk, 'status', 'gone', 'seen', ARGV[2])
  return {'ok'}
end
-- What is read while an operation is on its way may be older than its outcome;
-- one that waits for a person is not on its way.
local holder = redis.call('HGET', jk, 'lane')
if not holder or redis.call('HGET', opkey(holder), 's') == 'parked' then redis.call('HSET', jk, 'status', ARGV[3]) end
redis.call('HSET', jk, 'apps', ARGV[4], 'seen', ARGV[2], 'title', ARGV[6])
if ARGV[5] ~= '' then redis.call('HSET', jk, 'pending', ARGV[5]) end
return {'ok'}
