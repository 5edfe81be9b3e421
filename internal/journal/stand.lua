-- Tells the journal of a runner and the runner of the journal, by the clock of
-- Redis. ARGV: id, holder, name, beat, left, incarnation, then holders that the
-- runner vouches for as well.
-- Returns {'ok', clock, id, the holder's sequence number, the highest of all,
-- number of freezes, freeze..., then holder and entry for each runner}.
local id, holder, name, beat, left, incarnation = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local t = redis.call('TIME')
local now = int(num(t[1]) * 1000 + math.floor(num(t[2]) / 1000))
local runners = P .. 'runners'
-- Whoever was not seen for a month is not waited for any more.
local FORGET = 30 * 24 * 3600 * 1000
local function enter(h, seen, gone, server, who)
  redis.call('HSET', runners, h, seen .. '\n' .. gone .. '\n' .. server .. '\n' .. who)
end
if id ~= '' then redis.call('SETNX', P .. 'id', id) end
if beat ~= '' then enter(holder, now, left, incarnation, name) end
for i = 7, #ARGV do
  local seen, gone, who = string.match(redis.call('HGET', runners, ARGV[i]) or '', '^(%d+)\n(.-)\n.-\n(.*)$')
  enter(ARGV[i], seen or now, gone or '1', incarnation, who or ARGV[i])
end
local frozen = redis.call('HGETALL', P .. 'frozen')
local out = {'ok', now, redis.call('GET', P .. 'id') or '', redis.call('HGET', P .. 'seqs', holder) or '0',
  redis.call('GET', P .. 'sends') or '0', #frozen / 2}
for i = 2, #frozen, 2 do out[#out + 1] = frozen[i] end
local all = redis.call('HGETALL', runners)
for i = 1, #all, 2 do
  if num(string.match(all[i + 1], '^%d+')) < num(now) - FORGET then
    redis.call('HDEL', runners, all[i])
  else
    out[#out + 1] = all[i]
    out[#out + 1] = all[i + 1]
  end
end
return out
