-- Writes a campaign's spec and keeps its actions' places in the schedule.
-- ARGV: name, now, spec, digest, source, count, then id, digest of its trigger
--       and how it is timed for each action: '' waits for an event, 'clock' has
--       slots, 'now' may run again for new items, 'once' does not; and when it
--       is to be looked at if it starts from now, '' for never; and what it
--       follows, or ''.
-- An action that is new, or whose trigger changed, starts from now: a schedule
-- is never applied to the time before it was written, nor to the time for which
-- its campaign was removed.
local name, now = ARGV[1], ARGV[2]
-- follow keeps which actions follow which.
local function follow(member, parent)
  local was = redis.call('HGET', P .. 'after', member)
  if was and was ~= parent then
    redis.call('SREM', P .. 'followers:' .. was, member)
    redis.call('HDEL', P .. 'after', member)
  end
  if parent ~= '' then
    redis.call('SADD', P .. 'followers:' .. parent, member)
    redis.call('HSET', P .. 'after', member, parent)
  end
end
local ck = P .. 'campaign:' .. name
local had = redis.call('HGET', ck, 'actions') or ''
local back = redis.call('HGET', ck, 'state') == 'removed'
if back or redis.call('EXISTS', ck) == 0 then
  redis.call('HSET', ck, 'state', 'active', 'since', now)
  redis.call('HDEL', ck, 'reason')
end
local left = redis.call('HGET', ck, 'source')
if left and left ~= ARGV[5] then redis.call('SREM', P .. 'source:' .. left, name) end
redis.call('HSET', ck, 'spec', ARGV[3], 'digest', ARGV[4], 'source', ARGV[5], 'updated', now)
redis.call('SADD', P .. 'campaigns', name)
redis.call('SADD', P .. 'source:' .. ARGV[5], name)
local active = redis.call('HGET', ck, 'state') == 'active'
local keep, base = {}, 7
local list = {}
for i = 1, num(ARGV[6]) do
  local action, trigger, timed, look = ARGV[base], ARGV[base + 1], ARGV[base + 2], now
  local first = ARGV[base + 3]
  local parent = ARGV[base + 4]
  base = base + 5
  local member = name .. '/' .. action
  follow(member, parent)
  keep[action] = true
  list[#list + 1] = action
  if redis.call('HGET', P .. 'trigger', member) ~= trigger then
    redis.call('HSET', P .. 'trigger', member, trigger)
    redis.call('HSET', P .. 'watermark', member, now)
    redis.call('HDEL', P .. 'over', member)
    look = first
  elseif back and timed == 'clock' then
    redis.call('HSET', P .. 'watermark', member, now)
    look = first
  end
  if timed ~= 'once' then redis.call('HDEL', P .. 'over', member) end
  if timed == '' or look == '' then redis.call('HSET', P .. 'over', member, 1) end
  if active and redis.call('HEXISTS', P .. 'over', member) == 0 then
    redis.call('ZADD', P .. 'schedule', look, member)
  else redis.call('ZREM', P .. 'schedule', member) end
end
for action in string.gmatch(had, '[^\n]+') do
  if not keep[action] then
    local member = name .. '/' .. action
    redis.call('ZREM', P .. 'schedule', member, member .. '/backfill')
    redis.call('DEL', P .. 'backfill:' .. member)
    redis.call('HDEL', P .. 'watermark', member)
    redis.call('HDEL', P .. 'trigger', member)
    redis.call('HDEL', P .. 'missed', member)
    redis.call('HDEL', P .. 'over', member)
    follow(member, '')
  end
end
redis.call('HSET', ck, 'actions', table.concat(list, '\n'))
return {'ok', redis.call('HGET', ck, 'since')}
