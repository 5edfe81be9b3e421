-- Takes an occurrence off the list of those that something may follow, unless
-- another of its operations has ended since it was read. ARGV: member, mark.
if redis.call('ZSCORE', P .. 'settled', ARGV[1]) == ARGV[2] then redis.call('ZREM', P .. 'settled', ARGV[1]) end
return {'ok'}
