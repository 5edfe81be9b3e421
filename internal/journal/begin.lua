-- The one door to the marketplace: it lets one caller through once an attempt.
-- ARGV: id, nonce, now, lane job, lane generation, amount, kind class, quote,
--       evidence, minimum balance, event, quiet until, deadline, journal id,
--       holder, highest sequence number that the holder was given, count, then
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
local f = fields(k, {'s', 'x', 'n', 'sq', 'b', 'ln', 'xs', 'h', 'e', 'qa'})
local state = f.s
if not state then return {'gone'} end
if state == 'sending' and f.x == nonce then return {'ok', f.n, f.sq or '0', f.b, f.ln} end
if state ~= 'queued' then return {'state', state} end
if redis.call('EXISTS', P .. 'frozen') == 1 then return {'frozen'} end

local c = campaign_of(id)
local FAR = '9000000000000'
local beside = false
local own = fields(P .. 'campaign:' .. c, {'state', 'reason', 'digest'})
if class ~= 'refund' then
  local stop = redis.call('GET', P .. 'stop')
  if own.state == 'removed' then return {'removed'} end
  if stop or (own.state and own.state ~= 'active') then
    move(id, k, state, state, now, FAR)
    return {'paused', stop or own.reason or ''}
  end
end

-- A cap that was lowered holds from the moment it was written.
local spec = ARGV[#ARGV]
if spec ~= '' and own.digest ~= spec then return {'edited'} end

if lane ~= '' then
  local holder, has = unpack(redis.call('HMGET', jobkey(lane), 'lane', 'gen'))
  if holder and holder ~= id then
    -- What waits for a person keeps its lane, yet never keeps a job from being
    -- paused: that only brings money back.
    if class ~= 'refund' or redis.call('HGET', opkey(holder), 's') ~= 'parked' then return {'busy', holder} end
    beside = true
  end
  if gen ~= '' and (has or '0') ~= gen then return {'stale'} end
end
local account = P .. 'account'
local books = {}
if class ~= '' or quiet ~= '' then
  books = fields(account, {'quiet', 'quiet_until', 'inflight', 'balance', 'spent', 'reserved', 'unknown'})
end
local hush = books.quiet
-- A pause that measures nothing would disturb the measuring of another one too.
-- While its sender is at work no other clock than the sender's may end its quiet.
if class ~= '' and hush and hush ~= id and (redis.call('HGET', opkey(hush), 's') == 'sending'
  or num(books.quiet_until) > num(now)) then
  return {'busy', hush}
end
if quiet ~= '' and num(books.inflight) > 0 then return {'busy', 'inflight'} end

local list, base = {}, 18
if class == 'pay' then
  for i = 1, num(ARGV[17]) do
    local scope, cap, pause_at = ARGV[base], num(ARGV[base + 2]), ARGV[base + 3]
    local sk = P .. 'budget:' .. scope
    local s = fields(sk, SCOPE)
    local window = later(s.window, ARGV[base + 1])
    local wk = sk .. ':' .. window
    local w = fields(wk, WINDOW)
    if s.window ~= window or s.resume ~= ARGV[base + 5] then
      redis.call('HSET', sk, 'window', window, 'resume', ARGV[base + 5])
      s.window = window
    end
    if w.cap ~= ARGV[base + 2] or w.pause_at ~= pause_at or w.measure ~= ARGV[base + 4] then
      redis.call('HSET', wk, 'cap', ARGV[base + 2], 'pause_at', pause_at, 'measure', ARGV[base + 4])
      w.pause_at, w.measure = pause_at, ARGV[base + 4]
    end
    if s.latched then
      local was = s.latched_window
      if ARGV[base + 5] == 'window' and (#was ~= #window or was < window) then
        redis.call('HDEL', sk, 'latched', 'latched_window')
        redis.call('SREM', P .. 'latched', scope)
        s.latched = false
      else
        return {'latched', scope, window}
      end
    end
    -- The threshold may have been lowered by an edit since the last charge.
    if latch(scope, window, sk, wk, now, s, w) then return {'latched', scope, window} end
    local held = num(w.charged) - num(w.refunded) + num(w.reserved) + num(w.unknown)
    if cap >= 0 and held + amount > cap then
      return {'over', scope, window, int(cap - held)}
    end
    list[#list + 1] = scope .. ' ' .. window
    -- The total is kept beside, so that a budget edited to one knows its past.
    if window ~= 'total' then list[#list + 1] = scope .. ' total' end
    base = base + 6
  end
  if least ~= '' then
    if not books.balance then return {'low', ''} end
    local left = num(books.balance) - num(books.spent) - num(books.reserved) - num(books.unknown) - amount
    if left < num(least) then return {'low', int(left)} end
  end
end

local budgets = table.concat(list, '\n')
local sums = {}
if class == 'pay' then
  budget_add(budgets, 'reserved', amount)
  put(sums, 'reserved', int(num(books.reserved) + amount))
end
if class ~= '' then put(sums, 'inflight', int(num(books.inflight) + 1)) end
if quiet ~= '' then put(sums, 'quiet', id); put(sums, 'quiet_until', quiet) end
if #sums > 0 then redis.call('HSET', account, unpack(sums)) end
if lane ~= '' then
  if beside then lane = '' else redis.call('HSET', jobkey(lane), 'lane', id) end
  redis.call('HINCRBY', jobkey(ARGV[4]), 'gen', 1)
end
local n = num(f.n) + 1
local seq = 0
if holder ~= '' then
  seq = redis.call('INCR', P .. 'sends')
  redis.call('HSET', seqs, holder, seq)
end
local set = {'n', int(n), 'x', nonce, 'r', int(amount), 'b', budgets, 'kc', class, 'ln', lane, 'sq', int(seq),
  'xs', tried(f.xs, nonce), 'ev', evidence, 'neg', '0'}
if quote ~= '' then put(set, 'qt', quote) end
if event ~= '' then put(set, 'h', noted(f.h, event)) end
if f.e or f.qa then redis.call('HDEL', k, 'e', 'qa') end
move(id, k, state, 'sending', now, deadline, set)
return {'ok', n, seq, budgets, lane}
