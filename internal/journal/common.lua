-- Shared by every script of the journal. KEYS[1] is the prefix of all keys; its
-- hash tag keeps them in one slot of a Redis Cluster.
local P = KEYS[1]
local OPEN = {planned = true, queued = true, sending = true, unknown = true, parked = true}
local LIVE = {planned = true, queued = true, sending = true, unknown = true}

-- Lua numbers print with 14 digits; amounts and times need all of theirs.
local function int(n) return string.format('%.0f', n) end
local function num(v) return tonumber(v or '0') or 0 end
local function opkey(id) return P .. 'op:' .. id end
local function jobkey(job) return P .. 'job:' .. job end
local function campaign_of(id) return string.match(id, '^([^/]*)/') end

local function note(k, event)
  if event == '' then return end
  local h = redis.call('HGET', k, 'h')
  redis.call('HSET', k, 'h', h and (h .. '\n' .. event) or event)
end

-- unanchor forgets the balance that the books were anchored to after something
-- was bought which they did not hold yet: it includes that already. The next
-- quiet reading anchors them anew.
local function unanchor(bought)
  local account = P .. 'account'
  local at = redis.call('HGET', account, 'anchored_at')
  if at and num(at) >= num(bought) then redis.call('HDEL', account, 'anchor', 'anchored_at', 'drift') end
end

-- knows remembers the nonce of an attempt, so that a send log can be compared.
-- Those of many refused attempts are forgotten, the oldest first.
local function knows(k, nonce)
  local all = (redis.call('HGET', k, 'xs') or '') .. nonce .. ' '
  if #all > 2000 then all = string.match(all, ' (.*)$', #all - 1000) end
  redis.call('HSET', k, 'xs', all)
end

-- followed notes that an operation of an occurrence has ended, where another
-- action waits for all of them. What is written as ended, such as a create that
-- was found again, is not noted: what followed it may be lost with the journal.
local function followed(id, k)
  local parent = campaign_of(id) .. '/' .. redis.call('HGET', k, 'a')
  if redis.call('EXISTS', P .. 'followers:' .. parent) == 0 then return end
  redis.call('ZADD', P .. 'settled', redis.call('INCR', P .. 'settles'), parent .. '/' .. string.match(id, '([^/]*)$'))
end

-- move keeps the state, the indexes and the counts in step.
local function move(id, k, from, to, now, due)
  local c = campaign_of(id)
  if from and OPEN[from] then redis.call('ZREM', P .. 'open:' .. from, id) end
  if OPEN[to] then redis.call('ZADD', P .. 'open:' .. to, due, id) end
  redis.call('HSET', k, 's', to, 'ut', now, 'due', due)
  if from ~= to then
    if from then
      redis.call('HINCRBY', P .. 'count:' .. c, from, -1)
      redis.call('HINCRBY', P .. 'count', from, -1)
    end
    redis.call('HINCRBY', P .. 'count:' .. c, to, 1)
    redis.call('HINCRBY', P .. 'count', to, 1)
  end
  local was, is = from and LIVE[from], LIVE[to]
  if was ~= is then
    local a = redis.call('HGET', k, 'a')
    redis.call('HINCRBY', P .. 'live:' .. c, a, is and 1 or -1)
  end
  if not LIVE[to] then
    redis.call('HSET', k, 'st', now)
    if from and from ~= to then followed(id, k) end
  end
end

-- answer keeps what is known of an application and counts the approved ones, 3.
local function answer(job, application, now_is)
  local key = P .. 'answers:' .. job
  local was = string.sub(redis.call('HGET', key, application) or '', 1, 1)
  local is = string.sub(now_is, 1, 1)
  redis.call('HSET', key, application, now_is)
  if (was == '3') ~= (is == '3') then redis.call('HINCRBY', jobkey(job), 'approved', is == '3' and 1 or -1) end
end

-- rated notes an application's verdict where its hand-in is known. The first
-- digit of an answer is its status; 4 is pending.
local function rated(job, application, status)
  local key = P .. 'answers:' .. job
  local was = redis.call('HGET', key, application)
  if not was then return end
  answer(job, application, status .. string.sub(was, 2))
  if string.sub(was, 1, 1) == '4' and num(redis.call('HGET', jobkey(job), 'pending')) > 0 then
    redis.call('HINCRBY', jobkey(job), 'pending', -1)
  end
end

-- Budgets that an operation touches are kept as "scope window" lines.
local function each_budget(list, f)
  for line in string.gmatch(list or '', '[^\n]+') do
    local scope, window = string.match(line, '^(%S+) (%S+)$')
    f(scope, window, P .. 'budget:' .. scope, P .. 'budget:' .. scope .. ':' .. window)
  end
end

local function budget_add(list, field, amount)
  if amount == 0 then return end
  each_budget(list, function(_, _, _, wk) redis.call('HINCRBY', wk, field, int(amount)) end)
end

local function account_add(field, amount)
  if amount ~= 0 then redis.call('HINCRBY', P .. 'account', field, int(amount)) end
end

local function entry(now, kind, amount, id, job, list)
  redis.call('XADD', P .. 'ledger', '*', 't', now, 'k', kind, 'm', int(amount),
    'op', id, 'j', job or '', 'b', list or '')
end

-- current is the window that a budget is in. A clock that went back never opens
-- a past window again. Windows of another kind are not compared: there `per`
-- was edited. total 5, month 7, week 8 and day 10 letters tell the kinds apart.
local function current(sk, window)
  local cur = redis.call('HGET', sk, 'window')
  if cur and #cur == #window and cur > window then return cur end
  return window
end

-- latch closes a budget that reached its threshold. It returns true only when
-- it closed it now. opened is the window in which a person opened it again.
local function latch(scope, window, sk, wk, now)
  local at = num(redis.call('HGET', wk, 'pause_at'))
  if at <= 0 or redis.call('HGET', sk, 'latched') then return false end
  if redis.call('HGET', sk, 'opened') == window then return false end
  -- What is booked late into a past window does not close the present one.
  if redis.call('HGET', sk, 'window') ~= window then return false end
  local measured
  if redis.call('HGET', wk, 'measure') == 'consumed' then
    measured = num(redis.call('HGET', wk, 'consumed'))
  else
    measured = num(redis.call('HGET', wk, 'charged')) - num(redis.call('HGET', wk, 'refunded'))
  end
  if measured < at then return false end
  redis.call('HSET', sk, 'latched', now, 'latched_window', window)
  redis.call('SADD', P .. 'latched', scope)
  return true
end

-- estimated notes that up to so much more may have come back for a job than is
-- booked. The balance tells how much, once nothing else moves money; for how many
-- seats, a look at the job.
local function estimated(now, id, job, most)
  local account = P .. 'account'
  if redis.call('EXISTS', P .. 'estimates') == 0 then
    redis.call('HSET', account, 'drift_before', redis.call('HGET', account, 'drift') or '0')
  end
  redis.call('ZADD', P .. 'estimates', now, id .. ' ' .. job .. ' ' .. int(most))
  account_add('guessed', most)
  if redis.call('EXISTS', jobkey(job)) == 1 then redis.call('HSET', jobkey(job), 'vague', 1) end
end

-- give_back books what came back for a job. It counts against the newest
-- charges of the job, in their windows. What the account has left does not grow by
-- it before the next reading: the last one may hold it already.
local function give_back(now, id, job, amount)
  local left, ck = amount, P .. 'charges:' .. job
  account_add('refunded', left)
  while left > 0 do
    local newest = redis.call('LPOP', ck)
    if not newest then break end
    local m, list = string.match(newest, '^(%d+)\n?(.*)$')
    local part = math.min(left, num(m))
    budget_add(list, 'refunded', part)
    entry(now, 'refund', part, id, job, list)
    left = left - part
    if num(m) > part then redis.call('LPUSH', ck, int(num(m) - part) .. '\n' .. list) end
  end
  if left > 0 then
    entry(now, 'refund', left, id, job, '')
    local holder = redis.call('HGET', jobkey(job), 'lane')
    if holder and redis.call('HGET', opkey(holder), 's') == 'parked' then
      redis.call('HINCRBY', jobkey(job), 'early', int(left))
    end
  end
  redis.call('HINCRBY', jobkey(job), 'refunded', int(amount))
  redis.call('HINCRBY', opkey(id), 'rf', int(amount))
end
