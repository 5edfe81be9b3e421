-- Writes the operations of one occurrence and moves the action's watermark, or
-- takes a slot out of its backfill.
-- ARGV: now, fence, schedule member, expected watermark, new watermark,
--       next fire, missed, review slot, digest of the spec it was planned by or '',
--       backfilled slot or '', count, then id, doc, action, queue, state, error,
--       event, job, due for each operation.
-- Returns {verdict, id...}: the ids that did not exist before.
local now, fence, member = ARGV[1], ARGV[2], ARGV[3]
local expected, watermark, next_fire, missed = ARGV[4], ARGV[5], ARGV[6], num(ARGV[7])
local digest, back = ARGV[9], ARGV[10]
if fence ~= '' and redis.call('GET', P .. 'fence') ~= fence then return {'fenced'} end
if member ~= '' then
  local ck = P .. 'campaign:' .. campaign_of(member)
  local spec = redis.call('HMGET', ck, 'digest', 'state')
  -- What was planned by a spec that was edited, paused or removed meanwhile is
  -- planned anew by the one that holds now.
  if digest ~= '' and (spec[1] ~= digest or spec[2] ~= 'active') then return {'moved'} end
  if back ~= '' then
    if not redis.call('ZSCORE', P .. 'backfill:' .. member, back) then return {'moved'} end
  else
    local have = redis.call('HGET', P .. 'watermark', member)
    if not have then return {'gone'} end
    if have ~= expected then return {'moved', have} end
  end
end
local out = {'ok'}
local base = 12
for i = 1, num(ARGV[11]) do
  local id, doc, action, queue = ARGV[base], ARGV[base + 1], ARGV[base + 2], ARGV[base + 3]
  local state, err, event, job = ARGV[base + 4], ARGV[base + 5], ARGV[base + 6], ARGV[base + 7]
  local due = ARGV[base + 8]
  base = base + 9
  local k = opkey(id)
  if redis.call('EXISTS', k) == 0 then
    redis.call('HSET', k, 'd', doc, 'a', action, 'q', queue, 'ct', now, 'n', 0)
    if err ~= '' then redis.call('HSET', k, 'e', err) end
    if job ~= '' then redis.call('HSET', k, 'j', job) end
    redis.call('SADD', P .. 'owners', campaign_of(id))
    redis.call('ZADD', P .. 'ops:' .. campaign_of(id), now, id)
    move(id, k, nil, state, now, due)
    note(k, event)
    out[#out + 1] = id
  end
end
if back ~= '' and watermark ~= '' then
  redis.call('ZREM', P .. 'backfill:' .. member, back)
  if redis.call('EXISTS', P .. 'backfill:' .. member) == 1 then
    redis.call('ZADD', P .. 'schedule', next_fire, member .. '/backfill')
  else redis.call('ZREM', P .. 'schedule', member .. '/backfill') end
elseif member ~= '' and watermark ~= '' then
  redis.call('HSET', P .. 'watermark', member, watermark)
  if next_fire == '' then
    redis.call('ZREM', P .. 'schedule', member)
    redis.call('HSET', P .. 'over', member, 1)
  else redis.call('ZADD', P .. 'schedule', next_fire, member) end
  if ARGV[8] ~= '' then redis.call('ZADD', P .. 'reviews', now, member .. '/' .. ARGV[8]) end
  if missed > 0 then redis.call('HINCRBY', P .. 'missed', member, missed) end
end
return out
