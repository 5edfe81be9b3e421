-- Takes an action, or its backfill, off the schedule, unless its campaign is
-- active and has it: it may have been resumed or edited since the caller looked.
-- ARGV: fence, campaign, action, schedule member.
if ARGV[1] ~= '' and redis.call('GET', P .. 'fence') ~= ARGV[1] then return {'fenced'} end
local have = redis.call('HMGET', P .. 'campaign:' .. ARGV[2], 'state', 'actions')
if have[1] == 'active' and string.find('\n' .. (have[2] or '') .. '\n', '\n' .. ARGV[3] .. '\n', 1, true) then
  return {'kept'}
end
redis.call('ZREM', P .. 'schedule', ARGV[4])
return {'ok'}
