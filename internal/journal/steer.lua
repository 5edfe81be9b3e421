-- Sets a campaign's state and takes its actions off the schedule or puts them
-- back, but for those that are over. A removal ends its backfills. ARGV: name, now, state, reason.
local name, now, state = ARGV[1], ARGV[2], ARGV[3]
local ck = P .. 'campaign:' .. name
if redis.call('EXISTS', ck) == 0 then return {'gone'} end
redis.call('HSET', ck, 'state', state, 'reason', ARGV[4], 'steered', now)
for action in string.gmatch(redis.call('HGET', ck, 'actions') or '', '[^\n]+') do
  local member = name .. '/' .. action
  if state == 'active' and redis.call('HEXISTS', P .. 'over', member) == 0 then redis.call('ZADD', P .. 'schedule', now, member)
  else redis.call('ZREM', P .. 'schedule', member) end
  if state == 'removed' then redis.call('DEL', P .. 'backfill:' .. member) end
  if state == 'active' and redis.call('EXISTS', P .. 'backfill:' .. member) == 1 then
    redis.call('ZADD', P .. 'schedule', now, member .. '/backfill')
  else redis.call('ZREM', P .. 'schedule', member .. '/backfill') end
end
if state == 'removed' then
  redis.call('SREM', P .. 'source:' .. (redis.call('HGET', ck, 'source') or ''), name)
end
return {'ok'}
