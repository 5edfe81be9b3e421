-- Puts a person's decision in the place of one that was not carried out.
-- ARGV: now, count, then id, doc, event for each.
-- Returns {'ok', word...}: 'new' where there is no such operation, 'ok', or the
-- state of one that was sent, or is on its way.
local now, out = ARGV[1], {'ok'}
for i = 3, 2 + 3 * num(ARGV[2]), 3 do
  local id, doc = ARGV[i], ARGV[i + 1]
  local k = opkey(id)
  local state = redis.call('HGET', k, 's')
  if not state then
    out[#out + 1] = 'new'
  elseif redis.call('HGET', k, 'd') == doc and state == 'queued' then
    out[#out + 1] = 'ok'
  elseif state == 'queued' or state == 'planned' or state == 'parked' or state == 'rejected'
    or state == 'skipped' or state == 'canceled' then
    redis.call('HDEL', k, 'e', 'st', 'y', 'ev', 'neg', 'x')
    redis.call('HSET', k, 'd', doc, 'free', 1)
    note(k, ARGV[i + 2])
    move(id, k, state, 'queued', now, now)
    out[#out + 1] = 'ok'
  else
    out[#out + 1] = state
  end
end
return out
