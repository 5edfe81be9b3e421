-- Corrects which job a create made. ARGV: op, wrong job, right job, now, event,
-- status, applications and title of the right job.
-- Returns {'ok'}, or {'state'}, {'busy'}, {'touched'} and changes nothing.
local id, from, to, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local k, a, b = opkey(id), jobkey(from), jobkey(to)
if redis.call('HGET', b, 'op') == id and redis.call('HGET', k, 'j') == to then return {'ok'} end
if redis.call('HGET', k, 's') ~= 'applied' or redis.call('HGET', a, 'op') ~= id then return {'state'} end
local other = redis.call('HGET', b, 'op')
if redis.call('HEXISTS', b, 'c') == 1 and not other then return {'state'} end
if redis.call('HEXISTS', a, 'lane') == 1 or redis.call('HEXISTS', b, 'lane') == 1 then return {'busy'} end

-- Whatever else was booked on a job was done to that job, and can't move with
-- its create.
local function touched(jk, op)
  return num(redis.call('HGET', jk, 'charged')) ~= num(redis.call('HGET', opkey(op), 'cost'))
    or num(redis.call('HGET', jk, 'refunded')) ~= 0
end
if touched(a, id) or (other and touched(b, other)) then return {'touched'} end

local fields = {'c', 'item', 'slot', 'seats', 'price', 'op', 'ct', 'charged', 'refunded'}
local function take(jk, job)
  local got = {}
  for _, f in ipairs(fields) do got[f] = redis.call('HGET', jk, f) end
  if got.c then redis.call('ZREM', P .. 'jobs:' .. got.c, job) end
  redis.call('SREM', P .. 'jobs', job)
  redis.call('HDEL', jk, unpack(fields))
  return got, redis.call('LRANGE', P .. 'charges:' .. job, 0, -1)
end
local function give(jk, job, got, charges)
  redis.call('DEL', P .. 'charges:' .. job)
  if not got.c then redis.call('DEL', jk) return end
  for _, f in ipairs(fields) do
    if got[f] then redis.call('HSET', jk, f, got[f]) end
  end
  for _, c in ipairs(charges) do redis.call('RPUSH', P .. 'charges:' .. job, c) end
  redis.call('ZADD', P .. 'jobs:' .. got.c, got.ct or now, job)
  redis.call('SADD', P .. 'jobs', job)
  redis.call('HINCRBY', jk, 'gen', 1)
  redis.call('HSET', opkey(got.op), 'j', job)
  -- The ledger's entries stay as they are; whoever reads them looks here.
  redis.call('HSET', P .. 'rehomed', got.op, job)
end
local ours, oc = take(a, from)
local theirs, tc = take(b, to)
give(b, to, ours, oc)
give(a, from, theirs, tc)
redis.call('HSET', b, 'status', ARGV[6], 'apps', ARGV[7], 'title', ARGV[8], 'seen', now)
note(k, ARGV[5])
return {'ok'}
