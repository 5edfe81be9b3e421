-- Writes what became of an attempt, moves its money and frees its lane.
-- ARGV: id, from, nonce or '', stamp, to, now, due, cost, refund, job, error,
--       event, negative reads, job item, job slot, seats, unit price,
--       seat change, application, its new status, the most that may have come
--       back where the refund is an estimate or ''.
-- Returns {'ok', scope...}: the budgets of a charge that are closed now.
local id, from, nonce, stamp, to, now, due = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local cost, refund, job, err, event = ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12]
local k = opkey(id)
local state = redis.call('HGET', k, 's')
if not state then return {'gone'} end
if redis.call('HGET', k, 'y') == stamp then
  local out = {'ok'}
  for scope in string.gmatch(redis.call('HGET', k, 'lt') or '', '[^\n]+') do out[#out + 1] = scope end
  return out
end
if state ~= from then return {'state', state} end
if nonce ~= '' and redis.call('HGET', k, 'x') ~= nonce then return {'state', 'stale'} end

-- A new job that another create has is an answer about the wrong one.
if to == 'applied' and ARGV[14] ~= '' and job ~= '' then
  local c, op = redis.call('HGET', jobkey(job), 'c'), redis.call('HGET', jobkey(job), 'op')
  if c and op ~= id then return {'taken', op or c} end
end

-- An earlier send that the journal had lost may have been done: that this one was
-- not says nothing of it.
if from == 'sending' and (to == 'queued' or to == 'rejected') and redis.call('HDEL', k, 'lost') == 1 then
  to, due, err = 'unknown', now, 'an earlier request of it, which the journal had lost, may have been done: ' .. err
end

local class = redis.call('HGET', k, 'kc') or ''
local budgets = redis.call('HGET', k, 'b') or ''
local lane = redis.call('HGET', k, 'ln') or ''
local reserved = num(redis.call('HGET', k, 'r'))
local held = (from == 'sending' and 'reserved') or ((from == 'unknown' or from == 'parked') and 'unknown') or nil
local keeps = to == 'unknown' or to == 'parked'
local account = P .. 'account'

if held and class == 'pay' then
  if not keeps then
    budget_add(budgets, held, -reserved); account_add(held, -reserved)
    redis.call('HSET', k, 'r', 0)
  elseif held == 'reserved' then
    budget_add(budgets, 'reserved', -reserved); account_add('reserved', -reserved)
    budget_add(budgets, 'unknown', reserved); account_add('unknown', reserved)
  end
end
local flying = from == 'sending' or from == 'unknown'
if class ~= '' and flying ~= (to == 'unknown') then account_add('inflight', flying and -1 or 1) end
if redis.call('HGET', account, 'quiet') == id and to ~= 'unknown' then
  redis.call('HDEL', account, 'quiet', 'quiet_until')
end

local closed = {}
if cost ~= '' and num(cost) ~= 0 then
  local amount = num(cost)
  budget_add(budgets, 'charged', amount)
  account_add('spent', amount); account_add('charged', amount)
  entry(now, 'charge', amount, id, job, budgets)
  redis.call('HSET', k, 'cost', cost)
  if job ~= '' then
    redis.call('HINCRBY', jobkey(job), 'charged', cost)
    -- A pause may have brought it back before a person said that it was spent.
    local back = math.min(num(redis.call('HGET', jobkey(job), 'early')), amount)
    if back > 0 then
      redis.call('HINCRBY', jobkey(job), 'early', int(-back))
      budget_add(budgets, 'refunded', back)
      entry(now, 'refund', -back, id, job, '')
      entry(now, 'refund', back, id, job, budgets)
    end
    if amount > back then redis.call('LPUSH', P .. 'charges:' .. job, int(amount - back) .. '\n' .. budgets) end
  end
  each_budget(budgets, function(scope, window, sk, wk)
    -- One that was closed before is told too: the charge may have made a job
    -- that went online behind the latch.
    if redis.call('HGET', sk, 'window') == window
      and (latch(scope, window, sk, wk, now) or redis.call('HGET', sk, 'latched')) then
      closed[#closed + 1] = scope
    end
  end)
elseif cost ~= '' then
  redis.call('HSET', k, 'cost', cost)
end

if refund ~= '' and num(refund) ~= 0 then give_back(now, id, job, num(refund)) end
local most = ARGV[21]
if most ~= '' and num(most) > num(refund) then estimated(now, id, job, num(most) - num(refund)) end

if to == 'applied' and job ~= '' then
  local jk = jobkey(job)
  if ARGV[14] ~= '' then
    redis.call('HSET', jk, 'c', campaign_of(id), 'item', ARGV[14], 'slot', ARGV[15], 'seats', ARGV[16],
      'price', ARGV[17], 'status', 'online', 'op', id, 'ct', now)
    redis.call('ZADD', P .. 'jobs:' .. campaign_of(id), now, job)
    redis.call('SADD', P .. 'jobs', job)
  elseif ARGV[18] ~= '' and redis.call('EXISTS', jk) == 1 then
    redis.call('HINCRBY', jk, 'seats', ARGV[18])
    redis.call('HSET', jk, 'status', 'online')
  end
  if class == 'refund' and redis.call('EXISTS', jk) == 1 then
    redis.call('HSET', jk, 'status', 'finished')
  end
end
if to == 'applied' and ARGV[19] ~= '' and job ~= '' then rated(job, ARGV[19], ARGV[20]) end
if job ~= '' then redis.call('HSET', k, 'j', job) end
if lane ~= '' then
  redis.call('HINCRBY', jobkey(lane), 'gen', 1)
  if not keeps and redis.call('HGET', jobkey(lane), 'lane') == id then redis.call('HDEL', jobkey(lane), 'lane') end
end

redis.call('HSET', k, 'y', stamp, 'lt', table.concat(closed, '\n'))
if err ~= '' then redis.call('HSET', k, 'e', err) elseif to == 'applied' then redis.call('HDEL', k, 'e') end
if ARGV[13] ~= '' then redis.call('HSET', k, 'neg', ARGV[13]) end
if not keeps then redis.call('HDEL', k, 'x', 'lost') end
if to ~= 'queued' and not keeps then redis.call('HDEL', k, 'ev', 'neg', 'kc', 'b', 'ln') end
note(k, event)
move(id, k, from, to, now, due)
local out = {'ok'}
for _, scope in ipairs(closed) do out[#out + 1] = scope end
return out
