-- Gives a job to a campaign. What was filled before is not of the campaign's
-- buying, and how long that took is not known. ARGV: job, now, campaign, item,
-- status, seats, price, applications, title.
local jk = jobkey(ARGV[1])
local owner = redis.call('HGET', jk, 'c')
if owner and owner ~= ARGV[3] then return {'owned', owner} end
if not owner then
  redis.call('HSET', jk, 'c', ARGV[3], 'item', ARGV[4], 'status', ARGV[5], 'seats', ARGV[6],
    'price', ARGV[7], 'apps', ARGV[8], 'title', ARGV[9], 'ct', ARGV[2], 'adopted', 1,
    'before', int(math.min(num(ARGV[6]), num(ARGV[8]))), 'full', '')
  redis.call('ZADD', P .. 'jobs:' .. ARGV[3], ARGV[2], ARGV[1])
  redis.call('SADD', P .. 'jobs', ARGV[1])
end
return {'ok'}
