-- Reserves the next free moment for one request, by the clock of Redis (GCRA
-- with a burst of one). KEYS[1] is the limit. ARGV: interval in microseconds.
-- The interval stretches after refusals and shrinks back by a tenth a minute.
-- Returns how many microseconds to wait.
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local stretch = tonumber(redis.call('HGET', KEYS[1], 'stretch') or '1')
local since = tonumber(redis.call('HGET', KEYS[1], 'since') or '0')
if stretch > 1 then
  stretch = math.max(1, stretch * (0.9 ^ ((now - since) / 60000000)))
  if stretch < 1.01 then stretch = 1 end
  redis.call('HSET', KEYS[1], 'stretch', tostring(stretch), 'since', string.format('%.0f', now))
end
local free = tonumber(redis.call('HGET', KEYS[1], 'free') or '0')
local at = math.max(now, free)
redis.call('HSET', KEYS[1], 'free', string.format('%.0f', at + tonumber(ARGV[1]) * stretch))
return string.format('%.0f', at - now)
