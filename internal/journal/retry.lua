-- Puts an operation back in line by a person's word. ARGV: id, now, event.
-- One that is parked after it was sent may have spent: it is not sent again
-- before a person has said that it was not done.
local id, now = ARGV[1], ARGV[2]
local k = opkey(id)
local state = redis.call('HGET', k, 's')
if not state then return {'gone'} end
-- A decline that is held goes out now.
if state == 'queued' then
  redis.call('HSET', k, 'free', 1)
  if num(redis.call('HGET', k, 'due')) > num(now) and num(redis.call('HGET', k, 'due')) < 9000000000000 then
    redis.call('HDEL', k, 'e')
    note(k, ARGV[3])
    move(id, k, state, state, now, now)
  end
  return {'ok'}
end
local free = state == 'rejected' or state == 'skipped' or state == 'canceled'
  or (state == 'parked' and (redis.call('HGET', k, 'kc') or '') == '')
if not free then return {'state', state} end
redis.call('HDEL', k, 'e', 'st', 'y', 'ev', 'neg', 'x')
redis.call('HSET', k, 'free', 1)
note(k, ARGV[3])
move(id, k, state, 'queued', now, now)
return {'ok'}
