-- Takes the leave to ask what a queued create costs; one asks at a time.
-- ARGV: id, token, milliseconds after which, by the clock of Redis, a question
--       that nobody has answered is taken over, or ''. One whose answer is known to
--       be lost, `?`, is taken over then too.
-- Returns {'ok'}, {'asked'} while another asks, or {'state'}.
local k = opkey(ARGV[1])
local f = redis.call('HMGET', k, 's', 'qa')
if f[1] ~= 'queued' then return {'state'} end
local t = redis.call('TIME')
local now = num(t[1]) * 1000 + math.floor(num(t[2]) / 1000)
if f[2] then
  local since = string.match(f[2], '@(%d+)$')
  if ARGV[3] == '' or since and num(since) + num(ARGV[3]) > now then return {'asked'} end
end
redis.call('HSET', k, 'qa', ARGV[2] .. '@' .. int(now))
return {'ok'}
