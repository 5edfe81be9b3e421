-- Keeps every process quiet for a time and stretches the interval, after the
-- marketplace refused a request for coming too fast. Refusals of requests that
-- were on their way together stretch it once. ARGV: microseconds.
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local since = tonumber(redis.call('HGET', KEYS[1], 'punished') or '0')
if now - since > 1000000 then
  local stretch = tonumber(redis.call('HGET', KEYS[1], 'stretch') or '1')
  redis.call('HSET', KEYS[1], 'stretch', tostring(math.min(10, stretch * 1.2)),
    'since', string.format('%.0f', now), 'punished', string.format('%.0f', now))
end
local free = tonumber(redis.call('HGET', KEYS[1], 'free') or '0')
redis.call('HSET', KEYS[1], 'free', string.format('%.0f', math.max(free, now + tonumber(ARGV[1]))))
return 'ok'
