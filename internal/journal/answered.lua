-- Ends a question for the price of a create. ARGV: id, token, 1 where nobody knows
-- the answer or ''.
local k = opkey(ARGV[1])
local asker = string.match(redis.call('HGET', k, 'qa') or '', '^(.*)@%d+$')
if asker ~= ARGV[2] then return {'ok'} end
if ARGV[3] == '' then redis.call('HDEL', k, 'qa') else redis.call('HSET', k, 'qa', '?') end
return {'ok'}
