-- The one door to the marketplace: it lets one caller through once an attempt.
-- ARGV: id, nonce, now, lane job, lane generation, amount, kind class, quote,
--       evidence, minimum balance, event, quiet until, deadline, journal id,
--       holder, highest sequence number that the holder was given, the token by
--       which its price was asked or '', count, then
--       scope, window, cap, pause_at, measure, resume for each budget, then the
--       digest of the spec that these are from.
-- kind class: 'pay' buys seats, 'refund' pauses, '' moves no money.
-- Returns {'ok', attempt, sequence number, budgets, lane} or why not.
local id, nonce, now, lane, gen = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local amount, class, quote, evidence = num(ARGV[6]), ARGV[7], ARGV[8], ARGV[9]
local least, event, quiet, deadline = ARGV[10], ARGV[11], ARGV[12], ARGV[13]
local holder, seqs = ARGV[15], P .. 'seqs'
-- A journal that forgot a number it gave out has lost writes; what they were
-- about reads `queued` again, and must not be sent a second time.
if holder ~= '' then
  local have, last = redis.call('GET', P .. 'id') or '', redis.call('HGET', seqs, holder) or '0'
  if have ~= ARGV[14] or num(last) < num(ARGV[16]) then return {'lost', have, last} end
end
local k = opkey(id)
local state = redis.call('HGET', k, 's')
if not state then return {'gone'} end
if state == 'sending' and redis.call('HGET', k, 'x') == nonce then
  return {'ok', redis.call('HGET', k, 'n'), redis.call('HGET', k, 'sq') or '0', redis.call('HGET', k, 'b'),
    redis.call('HGET', k, 'ln')}
end
if state ~= 'queued' then return {'state', state} end
if redis.call('EXISTS', P .. 'frozen') == 1 then return {'frozen'} end
-- What another one asks the price of may have been made by the question.
local asked = redis.call('HGET', k, 'qa')
if asked and (ARGV[17] == '' or string.match(asked, '^(.*)@%d+$') ~= ARGV[17]) then return {'asked'} end

local c = campaign_of(id)
local FAR = '9000000000000'
local beside = false
if class ~= 'refund' then
  local stop = redis.call('GET', P .. 'stop')
  local cs = redis.call('HGET', P .. 'campaign:' .. c, 'state')
  if cs == 'removed' then return {'removed'} end
  if stop or (cs and cs ~= 'active') then
    move(id, k, state, state, now, FAR)
    return {'paused', stop or redis.call('HGET', P .. 'campaign:' .. c, 'reason') or ''}
  end
end

-- A cap that was lowered holds from the moment it was written.
local spec = ARGV[#ARGV]
if spec ~= '' and redis.call('HGET', P .. 'campaign:' .. c, 'digest') ~= spec then return {'edited'} end

if lane ~= '' then
  local holder = redis.call('HGET', jobkey(lane), 'lane')
  if holder and holder ~= id then
    -- What waits for a person keeps its lane, yet never keeps a job from being
    -- paused: that only brings money back.
    if class ~= 'refund' or redis.call('HGET', opkey(holder), 's') ~= 'parked' then return {'busy', holder} end
    beside = true
  end
  if gen ~= '' and (redis.call('HGET', jobkey(lane), 'gen') or '0') ~= gen then return {'stale'} end
end
local account = P .. 'account'
local hush = redis.call('HGET', account, 'quiet')
-- A pause that measures nothing would disturb the measuring of another one too.
-- While its sender is at work no other clock than the sender's may end its quiet.
if class ~= '' and hush and hush ~= id and (redis.call('HGET', opkey(hush), 's') == 'sending'
  or num(redis.call('HGET', account, 'quiet_until')) > num(now)) then
  return {'busy', hush}
end
if quiet ~= '' then
  if num(redis.call('HGET', account, 'inflight')) > 0 then return {'busy', 'inflight'} end
end

local list, base = {}, 19
if class == 'pay' then
  for i = 1, num(ARGV[18]) do
    local scope, cap, pause_at = ARGV[base], num(ARGV[base + 2]), ARGV[base + 3]
    local sk = P .. 'budget:' .. scope
    local window = current(sk, ARGV[base + 1])
    local wk = sk .. ':' .. window
    redis.call('HSET', sk, 'window', window, 'resume', ARGV[base + 5])
    redis.call('HSET', wk, 'cap', ARGV[base + 2], 'pause_at', pause_at, 'measure', ARGV[base + 4])
    if redis.call('HGET', sk, 'latched') then
      local was = redis.call('HGET', sk, 'latched_window')
      if ARGV[base + 5] == 'window' and (#was ~= #window or was < window) then
        redis.call('HDEL', sk, 'latched', 'latched_window')
        redis.call('SREM', P .. 'latched', scope)
      else
        return {'latched', scope, window}
      end
    end
    -- The threshold may have been lowered by an edit since the last charge.
    if latch(scope, window, sk, wk, now) then return {'latched', scope, window} end
    local held = num(redis.call('HGET', wk, 'charged')) - num(redis.call('HGET', wk, 'refunded'))
      + num(redis.call('HGET', wk, 'reserved')) + num(redis.call('HGET', wk, 'unknown'))
    if cap >= 0 and held + amount > cap then
      return {'over', scope, window, int(cap - held)}
    end
    list[#list + 1] = scope .. ' ' .. window
    -- The total is kept beside, so that a budget edited to one knows its past.
    if window ~= 'total' then list[#list + 1] = scope .. ' total' end
    base = base + 6
  end
  if least ~= '' then
    local balance = redis.call('HGET', account, 'balance')
    if not balance then return {'low', ''} end
    local left = num(balance) - num(redis.call('HGET', account, 'spent'))
      - num(redis.call('HGET', account, 'reserved')) - num(redis.call('HGET', account, 'unknown')) - amount
    if left < num(least) then return {'low', int(left)} end
  end
end

local budgets = table.concat(list, '\n')
if class == 'pay' then
  budget_add(budgets, 'reserved', amount)
  account_add('reserved', amount)
end
if class ~= '' then account_add('inflight', 1) end
if quiet ~= '' then redis.call('HSET', account, 'quiet', id, 'quiet_until', quiet) end
if lane ~= '' then
  if beside then lane = '' else redis.call('HSET', jobkey(lane), 'lane', id) end
  redis.call('HINCRBY', jobkey(ARGV[4]), 'gen', 1)
end
local n = redis.call('HINCRBY', k, 'n', 1)
local seq = 0
if holder ~= '' then
  seq = redis.call('INCR', P .. 'sends')
  redis.call('HSET', seqs, holder, seq)
end
redis.call('HSET', k, 'x', nonce, 'r', int(amount), 'b', budgets, 'kc', class, 'ln', lane, 'sq', seq)
knows(k, nonce)
if quote ~= '' then redis.call('HSET', k, 'qt', quote) end
redis.call('HSET', k, 'ev', evidence, 'neg', 0)
redis.call('HDEL', k, 'e', 'qa')
note(k, event)
move(id, k, state, 'sending', now, deadline)
return {'ok', n, seq, budgets, lane}
