-- Moves the time at which a queued operation is looked at again, and nothing
-- else. ARGV: id, now, due, error, event.
local k = opkey(ARGV[1])
if redis.call('HGET', k, 's') ~= 'queued' then return {'state', redis.call('HGET', k, 's') or ''} end
if ARGV[4] ~= '' then redis.call('HSET', k, 'e', ARGV[4]) end
note(k, ARGV[5])
move(ARGV[1], k, 'queued', 'queued', ARGV[2], ARGV[3])
return {'ok'}
