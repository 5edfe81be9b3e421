-- Writes what became of an attempt, moves its money and frees its lane.
-- ARGV: id, from, nonce or '', stamp, to, now, due, cost, refund, job, error,
--       event, negative reads, job item, job slot, seats, unit price,
--       seat change, application, its new status, the most that may have come
--       back where the refund is an estimate or ''.
-- Returns {'ok', scope...}: the budgets of a charge that are closed now.
local id, from, nonce, stamp, to, now, due = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local cost, refund, job, err, event = ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12]
local k = opkey(id)
local f = fields(k, {'s', 'x', 'y', 'lt', 'kc', 'b', 'ln', 'r', 'a', 'h'})
local state = f.s
if not state then return {'gone'} end
if f.y == stamp then
  local out = {'ok'}
  for scope in string.gmatch(f.lt or '', '[^\n]+') do out[#out + 1] = scope end
  return out
end
if state ~= from then return {'state', state} end
if nonce ~= '' and f.x ~= nonce then return {'state', 'stale'} end

-- A new job that another create has is an answer about the wrong one.
if to == 'applied' and ARGV[14] ~= '' and job ~= '' then
  local c, op = unpack(redis.call('HMGET', jobkey(job), 'c', 'op'))
  if c and op ~= id then return {'taken', op or c} end
end

local class, budgets, lane, reserved = f.kc or '', f.b or '', f.ln or '', num(f.r)
local held = (from == 'sending' and 'reserved') or ((from == 'unknown' or from == 'parked') and 'unknown') or nil
local keeps = to == 'unknown' or to == 'parked'
local account = P .. 'account'
-- What is written of the operation at the end, and what the account gains.
local set, sums = {'y', stamp}, {}
local function gain(field, amount) sums[field] = (sums[field] or 0) + amount end

if held and class == 'pay' then
  if not keeps then
    budget_add(budgets, held, -reserved); gain(held, -reserved)
    put(set, 'r', '0')
  elseif held == 'reserved' then
    budget_add(budgets, 'reserved', -reserved); gain('reserved', -reserved)
    budget_add(budgets, 'unknown', reserved); gain('unknown', reserved)
  end
end
local flying = from == 'sending' or from == 'unknown'
if class ~= '' and flying ~= (to == 'unknown') then gain('inflight', flying and -1 or 1) end
if redis.call('HGET', account, 'quiet') == id and to ~= 'unknown' then
  redis.call('HDEL', account, 'quiet', 'quiet_until')
end

local closed = {}
if cost ~= '' then put(set, 'cost', cost) end
if cost ~= '' and num(cost) ~= 0 then
  local amount = num(cost)
  budget_add(budgets, 'charged', amount)
  gain('spent', amount); gain('charged', amount)
  entry(now, 'charge', amount, id, job, budgets)
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
    local s = fields(sk, SCOPE)
    if s.window == window and (latch(scope, window, sk, wk, now, s) or s.latched) then
      closed[#closed + 1] = scope
    end
  end)
end
account_sum(sums)

if refund ~= '' and num(refund) ~= 0 then give_back(now, id, job, num(refund)) end
-- An estimate is put right by the balance, once nothing else moves money.
local most = ARGV[21]
if most ~= '' and num(most) > num(refund) then
  if redis.call('EXISTS', P .. 'estimates') == 0 then
    redis.call('HSET', account, 'drift_before', redis.call('HGET', account, 'drift') or '0')
  end
  redis.call('ZADD', P .. 'estimates', now, id .. ' ' .. job .. ' ' .. int(num(most) - num(refund)))
  account_add('guessed', num(most) - num(refund))
end

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
if job ~= '' then put(set, 'j', job) end
if lane ~= '' then
  redis.call('HINCRBY', jobkey(lane), 'gen', 1)
  if not keeps and redis.call('HGET', jobkey(lane), 'lane') == id then redis.call('HDEL', jobkey(lane), 'lane') end
end

put(set, 'lt', table.concat(closed, '\n'))
local gone = {}
local function drop(...) for _, name in ipairs({...}) do gone[#gone + 1] = name end end
if err ~= '' then put(set, 'e', err) elseif to == 'applied' then drop('e') end
if not keeps then drop('x') end
if to ~= 'queued' and not keeps then
  drop('ev', 'neg', 'kc', 'b', 'ln')
elseif ARGV[13] ~= '' then
  put(set, 'neg', ARGV[13])
end
if #gone > 0 then redis.call('HDEL', k, unpack(gone)) end
if event ~= '' then put(set, 'h', noted(f.h, event)) end
move(id, k, from, to, now, due, set, f.a or nil)
local out = {'ok'}
for _, scope in ipairs(closed) do out[#out + 1] = scope end
return out
