-- Tells the journal of a runner and the runner of the journal, by the clock of
-- Redis. ARGV: id, holder, name, beat, left, incarnation, then holders that the
-- runner vouches for as well.
-- Returns {'ok', clock, id, the holder's sequence number, the highest of all,
-- number of freezes, freeze..., then holder and entry for each runner}.
local id, holder, name, beat, left, incarnation = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local t = redis.call('TIME')
local now = num(t[1]) * 1000 + math.floor(num(t[2]) / 1000)
local runners = P .. 'runners'
-- Whoever was not seen for a month is not waited for any more.
local FORGET = 30 * 24 * 3600 * 1000
if id ~= '' then redis.call('SETNX', P .. 'id', id) end
if beat ~= '' then
  redis.call('HSET', runners, holder, cjson.encode({t = now, l = left, i = incarnation, n = name}))
end
for i = 7, #ARGV do
  local text = redis.call('HGET', runners, ARGV[i])
  local r = text and cjson.decode(text) or {t = now, l = '1', n = ARGV[i]}
  r.i = incarnation
  redis.call('HSET', runners, ARGV[i], cjson.encode(r))
end
local frozen = redis.call('HVALS', P .. 'frozen')
local out = {'ok', int(now), redis.call('GET', P .. 'id') or '', redis.call('HGET', P .. 'seqs', holder) or '0',
  redis.call('GET', P .. 'sends') or '0', #frozen}
for _, f in ipairs(frozen) do out[#out + 1] = f end
local all = redis.call('HGETALL', runners)
for i = 1, #all, 2 do
  if cjson.decode(all[i + 1]).t < now - FORGET then
    redis.call('HDEL', runners, all[i])
  else
    out[#out + 1] = all[i]
    out[#out + 1] = all[i + 1]
  end
end
return out
