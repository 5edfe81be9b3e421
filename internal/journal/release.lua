-- Puts the queued operations of a campaign that a pause held back in line.
-- ARGV: now, then ids. Returns the ids that were held.
local now, out = ARGV[1], {'ok'}
for i = 2, #ARGV do
  local k = opkey(ARGV[i])
  if redis.call('HGET', k, 's') == 'queued' and num(redis.call('HGET', k, 'due')) > num(now) then
    move(ARGV[i], k, 'queued', 'queued', now, now)
    out[#out + 1] = ARGV[i]
  end
end
return out
