-- The door of begin.lua for a page of calls that move no money and hold no lane:
-- the same questions in the same order, with the indexes written once a page.
-- ARGV: journal id, holder, highest number that the holder was given, now,
--       deadline, count, then id, nonce, event for each.
-- Returns {'ok', gate, attempt, sequence number, gate, ...}, or {'lost', id, number}.
local holder, now, deadline, count = ARGV[2], ARGV[4], ARGV[5], num(ARGV[6])
local seqs = P .. 'seqs'
if holder ~= '' then
  local have, last = redis.call('GET', P .. 'id') or '', redis.call('HGET', seqs, holder) or '0'
  if have ~= ARGV[1] or num(last) < num(ARGV[3]) then return {'lost', have, last} end
end
local frozen = redis.call('EXISTS', P .. 'frozen') == 1
local stop = redis.call('GET', P .. 'stop')
local FAR = '9000000000000'
local campaigns, out, through = {}, {'ok'}, {}
local function campaign(id)
  local c = campaign_of(id)
  if not campaigns[c] then
    local f = redis.call('HMGET', P .. 'campaign:' .. c, 'state', 'reason')
    campaigns[c] = {name = c, state = f[1], reason = f[2] or '', begun = 0}
  end
  return campaigns[c]
end

for i = 1, count do
  local base = 4 + 3 * i
  local id, nonce = ARGV[base], ARGV[base + 1]
  local k = opkey(id)
  local f = redis.call('HMGET', k, 's', 'x', 'n', 'sq', 'xs', 'h', 'e', 'neg')
  local gate, one, two = 'ok', '', ''
  local c = campaign(id)
  if not f[1] then gate = 'gone'
  elseif f[1] == 'sending' and f[2] == nonce then one, two = f[3], f[4] or '0'
  elseif f[1] ~= 'queued' then gate, one = 'state', f[1]
  elseif frozen then gate = 'frozen'
  elseif c.state == 'removed' then gate = 'removed'
  elseif stop or (c.state and c.state ~= 'active') then
    move(id, k, 'queued', 'queued', now, FAR)
    gate, one = 'paused', stop or c.reason
  else
    through[#through + 1] = {id = id, k = k, nonce = nonce, event = ARGV[base + 2], f = f, at = #out}
    c.begun = c.begun + 1
  end
  out[#out + 1] = gate; out[#out + 1] = one; out[#out + 1] = two
end
if #through == 0 then return out end

local last = 0
if holder ~= '' then
  last = num(redis.call('GET', P .. 'sends')) + #through
  redis.call('SET', P .. 'sends', int(last))
  redis.call('HSET', seqs, holder, int(last))
end
local left, came = {}, {}
for i, t in ipairs(through) do
  local n = num(t.f[3]) + 1
  local seq = holder ~= '' and last - #through + i or 0
  local tried = (t.f[5] or '') .. t.nonce .. ' '
  if #tried > 2000 then tried = string.match(tried, ' (.*)$', #tried - 1000) end
  redis.call('HSET', t.k, 's', 'sending', 'ut', now, 'due', deadline, 'n', n, 'x', t.nonce, 'sq', seq, 'xs', tried,
    'h', t.f[6] and (t.f[6] .. '\n' .. t.event) or t.event)
  if t.f[7] or t.f[8] then redis.call('HDEL', t.k, 'e', 'qa', 'neg') end
  left[i] = t.id
  came[2 * i - 1] = deadline; came[2 * i] = t.id
  out[t.at + 2] = n; out[t.at + 3] = int(seq)
end
redis.call('ZREM', P .. 'open:queued', unpack(left))
redis.call('ZADD', P .. 'open:sending', unpack(came))
for name, c in pairs(campaigns) do
  if c.begun > 0 then
    redis.call('HINCRBY', P .. 'count:' .. name, 'queued', -c.begun)
    redis.call('HINCRBY', P .. 'count:' .. name, 'sending', c.begun)
  end
end
redis.call('HINCRBY', P .. 'count', 'queued', -#through)
redis.call('HINCRBY', P .. 'count', 'sending', #through)
return out
