-- Writes a create anew that was found by its marker, as applied, with its job
-- and what it cost. An operation or a job that is known stays as it is.
-- ARGV: now, id, doc, action, queue, event, job, item, slot, seats, price,
--       status, applications, title, cost, applied at, what of it may have come
--       back, count, then scope and window for each budget, then holder and
--       number for each send log whose sends were written anew before.
-- Returns {'ok', 1} where it was written, {'ok', 0} where it was known, {'lost'}
-- where the journal has forgotten such a number, and so perhaps those sends.
local now, id, job = ARGV[1], ARGV[2], ARGV[7]
for i = 19 + 2 * num(ARGV[18]), #ARGV, 2 do
  if num(redis.call('HGET', P .. 'seqs', ARGV[i])) < num(ARGV[i + 1]) then return {'lost'} end
end
local k, jk = opkey(id), jobkey(job)
if redis.call('EXISTS', k) == 1 or redis.call('HEXISTS', jk, 'c') == 1 then return {'ok', '0'} end
local c = campaign_of(id)
local list, base = {}, 19
for i = 1, num(ARGV[18]) do
  local scope, window = ARGV[base], ARGV[base + 1]
  local sk = P .. 'budget:' .. scope
  redis.call('HSET', sk, 'window', current(sk, window))
  list[#list + 1] = scope .. ' ' .. window
  if window ~= 'total' then list[#list + 1] = scope .. ' total' end
  base = base + 2
end
local budgets, cost = table.concat(list, '\n'), num(ARGV[15])
redis.call('HSET', k, 'd', ARGV[3], 'a', ARGV[4], 'q', ARGV[5], 'ct', ARGV[16], 'n', 1,
  'j', job, 'qt', int(cost), 'cost', int(cost), 'r', 0, 'rc', 1)
redis.call('SADD', P .. 'owners', c)
redis.call('ZADD', P .. 'ops:' .. c, ARGV[16], id)
move(id, k, nil, 'applied', now, now)
note(k, ARGV[6])
redis.call('HSET', jk, 'c', c, 'item', ARGV[8], 'slot', ARGV[9], 'seats', ARGV[10], 'price', ARGV[11],
  'status', ARGV[12], 'apps', ARGV[13], 'title', ARGV[14], 'op', id, 'ct', ARGV[16])
-- When it was filled is not known any more, if it was.
if ARGV[12] == 'finished' or num(ARGV[13]) >= num(ARGV[10]) then redis.call('HSET', jk, 'full', '') end
redis.call('ZADD', P .. 'jobs:' .. c, ARGV[16], job)
redis.call('SADD', P .. 'jobs', job)
if cost > 0 then
  unanchor(ARGV[16])
  budget_add(budgets, 'charged', cost)
  account_add('charged', cost)
  entry(now, 'charge', cost, id, job, budgets)
  redis.call('HINCRBY', jk, 'charged', int(cost))
  redis.call('LPUSH', P .. 'charges:' .. job, int(cost) .. '\n' .. budgets)
  if num(ARGV[17]) > 0 then
    local account = P .. 'account'
    local read = redis.call('HMGET', account, 'read_at', 'drift')
    -- What it cost is no drift any more, where the last reading saw it gone.
    if read[2] and num(read[1]) >= num(ARGV[16]) then redis.call('HINCRBY', account, 'drift', int(-cost)) end
    estimated(now, id, job, num(ARGV[17]))
  end
end
return {'ok', '1'}
