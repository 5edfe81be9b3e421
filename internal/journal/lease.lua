-- Takes or renews the scheduler's lease, by the clock of Redis. ARGV: holder,
-- milliseconds, what the holder's dead predecessor's name begins with or ''.
-- Returns {'ok', fencing token} or {'held', holder}.
local t = redis.call('TIME')
local now = num(t[1]) * 1000 + math.floor(num(t[2]) / 1000)
local lk, heir = P .. 'lease', ARGV[3]
local holder = redis.call('HGET', lk, 'holder')
if holder and holder ~= ARGV[1] and num(redis.call('HGET', lk, 'until')) > now
  and (heir == '' or string.sub(holder, 1, #heir) ~= heir) then return {'held', holder} end
if holder ~= ARGV[1] then redis.call('INCR', P .. 'fence') end
redis.call('HSET', lk, 'holder', ARGV[1], 'until', int(now + num(ARGV[2])))
return {'ok', redis.call('GET', P .. 'fence')}
