-- Writes a send that the journal lost, by the line of a send log: as unknown,
-- with its reservation, whatever the caps say. A send that is known stays as it is.
-- ARGV: id, now, due, doc, action, queue, begun, attempt, nonce, amount, kind
--       class, lane, budgets, quote, evidence, sequence number, job, events, error.
-- Returns {'ok'}, {'known', state, nonce of the last attempt}, or {'twice', state}
-- where the same attempt, or a later one, may have been made without knowing of it.
local id, now, attempt, nonce = ARGV[1], ARGV[2], num(ARGV[8]), ARGV[9]
local amount, class, lane, budgets = num(ARGV[10]), ARGV[11], ARGV[12], ARGV[13]
local k = opkey(id)
local state = redis.call('HGET', k, 's')
local account = P .. 'account'
if state then
  local all = ' ' .. (redis.call('HGET', k, 'xs') or '')
  if string.find(all, ' ' .. nonce .. ' ', 1, true) then
    return {'known', state, redis.call('HGET', k, 'x') or ''}
  end
  if redis.call('HEXISTS', k, 'rc') == 1 and num(redis.call('HGET', k, 'n')) == attempt then
    -- Its job was found by its marker before this log was read.
    knows(k, nonce)
    return {'known', state, redis.call('HGET', k, 'x') or ''}
  end
  -- One that was let through without knowing of it, and ended without an effect,
  -- leaves this one in doubt; while it has not ended, that is remembered.
  local made = state == 'sending' or state == 'unknown' or state == 'parked' or state == 'applied'
  if made and num(redis.call('HGET', k, 'n')) >= attempt then
    if state ~= 'applied' then redis.call('HSET', k, 'lost', nonce) end
    return {'twice', state}
  end
  attempt = math.max(attempt, num(redis.call('HGET', k, 'n')))
  if state == 'applied' then
    -- A later attempt is only made once the earlier ones were not done: what was
    -- found to be done since, and taken for theirs, is this one's.
    redis.call('HSET', k, 'n', int(attempt))
    knows(k, nonce)
    return {'known', state, redis.call('HGET', k, 'x') or ''}
  end
  -- An earlier attempt that the journal takes for open has ended: this one was
  -- begun after it.
  local held = (state == 'sending' and 'reserved') or ((state == 'unknown' or state == 'parked') and 'unknown')
  local kc = redis.call('HGET', k, 'kc') or ''
  if held and kc == 'pay' then
    local r = num(redis.call('HGET', k, 'r'))
    budget_add(redis.call('HGET', k, 'b'), held, -r)
    account_add(held, -r)
  end
  if (state == 'sending' or state == 'unknown') and kc ~= '' then account_add('inflight', -1) end
  if redis.call('HGET', account, 'quiet') == id then redis.call('HDEL', account, 'quiet', 'quiet_until') end
else
  local c = campaign_of(id)
  redis.call('HSET', k, 'd', ARGV[4], 'a', ARGV[5], 'q', ARGV[6], 'ct', ARGV[7])
  redis.call('SADD', P .. 'owners', c)
  redis.call('ZADD', P .. 'ops:' .. c, ARGV[7], id)
end
if class ~= '' then unanchor(ARGV[7]) end
if class == 'pay' then
  each_budget(budgets, function(_, window, sk)
    if window ~= 'total' then redis.call('HSET', sk, 'window', current(sk, window)) end
  end)
  budget_add(budgets, 'unknown', amount)
  account_add('unknown', amount)
end
if class ~= '' then account_add('inflight', 1) end
if lane ~= '' then
  redis.call('HINCRBY', jobkey(lane), 'gen', 1)
  local holder = redis.call('HGET', jobkey(lane), 'lane')
  if holder and holder ~= id then lane = '' else redis.call('HSET', jobkey(lane), 'lane', id) end
end
redis.call('HSET', k, 'n', int(attempt), 'x', nonce, 'r', int(amount), 'b', budgets, 'kc', class, 'ln', lane,
  'sq', ARGV[16], 'ev', ARGV[15], 'neg', 0)
if ARGV[14] ~= '' then redis.call('HSET', k, 'qt', ARGV[14]) end
if ARGV[17] ~= '' then redis.call('HSET', k, 'j', ARGV[17]) end
redis.call('HDEL', k, 'st', 'y', 'lt')
redis.call('HSET', k, 'e', ARGV[19])
knows(k, nonce)
note(k, ARGV[18])
move(id, k, state or nil, 'unknown', now, ARGV[3])
return {'ok'}
