-- Writes what the marketplace says of a job that a campaign owns.
-- ARGV: job, now, status, applications, pending or '', title.
local jk = jobkey(ARGV[1])
if redis.call('HEXISTS', jk, 'c') == 0 then return {'foreign'} end
-- A job that does not exist any more keeps what was last known of it.
if ARGV[3] == 'gone' then
  redis.call('HSET', jk, 'status', 'gone', 'seen', ARGV[2])
  return {'ok'}
end
-- What happened since the last look waits on a list until it has been acted on:
-- the list is written with the state, so that an event is neither lost nor told
-- twice. A count that went back and comes again is no news.
local function happened(event)
  local member = ARGV[1] .. '/' .. event .. '/' .. int(math.floor(num(ARGV[2]) / 1000))
  if not redis.call('ZSCORE', P .. 'events', member) then redis.call('ZADD', P .. 'events', ARGV[2], member) end
end
local apps = num(ARGV[4])
local told = num(redis.call('HGET', jk, 'told') or redis.call('HGET', jk, 'apps'))
if apps > told then happened('new-application') end
redis.call('HSET', jk, 'told', int(math.max(apps, told)))
local seats = num(redis.call('HGET', jk, 'seats'))
local function full()
  if redis.call('HEXISTS', jk, 'full') == 0 then redis.call('HSET', jk, 'full', ARGV[2]) end
end
if seats > 0 and apps >= seats then full() end
-- What is read while an operation is on its way may be older than its outcome;
-- one that waits for a person is not on its way.
local holder = redis.call('HGET', jk, 'lane')
if not holder or redis.call('HGET', opkey(holder), 's') == 'parked' then
  if ARGV[3] == 'finished' and redis.call('HGET', jk, 'status') == 'online' then
    happened('job-finished')
    full()
  end
  redis.call('HSET', jk, 'status', ARGV[3])
end
redis.call('HSET', jk, 'apps', ARGV[4], 'seen', ARGV[2], 'title', ARGV[6])
if ARGV[5] ~= '' then redis.call('HSET', jk, 'pending', ARGV[5]) end
return {'ok'}
