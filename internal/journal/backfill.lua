-- Asks for slots of an action by name. ARGV: now, campaign, action, then slots.
-- Returns {'ok', how many are new}, or {'gone'} where the campaign does not run
-- or has no such action.
local now, member = ARGV[1], ARGV[2] .. '/' .. ARGV[3]
local have = redis.call('HMGET', P .. 'campaign:' .. ARGV[2], 'state', 'actions')
if have[1] ~= 'active' or not string.find('\n' .. (have[2] or '') .. '\n', '\n' .. ARGV[3] .. '\n', 1, true) then
  return {'gone'}
end
local new = 0
for i = 4, #ARGV do
  new = new + redis.call('ZADD', P .. 'backfill:' .. member, 'NX', ARGV[i], ARGV[i])
end
if #ARGV > 3 then redis.call('ZADD', P .. 'schedule', 'NX', now, member .. '/backfill') end
return {'ok', int(new)}
