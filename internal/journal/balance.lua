-- Writes the account's balance as just read. ARGV: now, balance, then what was
-- in flight, charged and refunded before it was read.
-- A reading is quiet where nothing moved around it: the first anchors the books,
-- and each tells how far the balance is from them, and puts estimates right.
local now, balance, inflight, charged, refunded = ARGV[1], num(ARGV[2]), num(ARGV[3]), num(ARGV[4]), num(ARGV[5])
local account = P .. 'account'
local spent, back = num(redis.call('HGET', account, 'charged')), num(redis.call('HGET', account, 'refunded'))
-- What was charged meanwhile may have come after the reading.
redis.call('HSET', account, 'balance', int(balance), 'spent', int(spent - charged), 'read_at', now, 'read_back', ARGV[5])
local quiet = inflight == 0 and num(redis.call('HGET', account, 'inflight')) == 0
  and spent == charged and back == refunded
-- make_up books what came back beyond the estimates of refunds: what the account
-- holds more than the books say, by no more than each may have brought. While a
-- purchase waits for a person the balance tells nothing of them.
local function make_up(drift)
  local missing = num(redis.call('HGET', account, 'drift_before')) - drift
  local list, room = {}, 0
  for _, line in ipairs(redis.call('ZRANGE', P .. 'estimates', 0, -1)) do
    local id, job, most = string.match(line, '^(%S+) (%S+) (%S+)$')
    list[#list + 1] = {id = id, job = job, most = num(most)}
    room = room + num(most)
  end
  if room == 0 or missing < 0 or missing > room or num(redis.call('HGET', account, 'unknown')) > 0 then return 0 end
  redis.call('DEL', P .. 'estimates')
  redis.call('HDEL', account, 'guessed')
  local left = missing
  for _, e in ipairs(list) do
    e.part = math.min(left, missing == room and e.most or math.floor(e.most * (missing / room)))
    left = left - e.part
  end
  for _, e in ipairs(list) do
    local rest = math.min(left, e.most - e.part)
    left = left - rest
    if e.part + rest > 0 then give_back(now, e.id, e.job, e.part + rest) end
  end
  return missing
end

if quiet then
  if not redis.call('HGET', account, 'anchor') then
    redis.call('HSET', account, 'anchor', int(balance + spent - back), 'anchored_at', now)
  end
  local drift = num(redis.call('HGET', account, 'anchor')) - spent + back - balance
  redis.call('HSET', account, 'drift', int(drift + make_up(drift)))
end
return {'ok', redis.call('HGET', account, 'inflight') or '0'}
