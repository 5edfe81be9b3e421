-- Raises a holder's sequence number, and the highest of all with it.
-- ARGV: holder, number.
local seqs, n = P .. 'seqs', num(ARGV[2])
if num(redis.call('HGET', seqs, ARGV[1])) < n then redis.call('HSET', seqs, ARGV[1], int(n)) end
if num(redis.call('GET', P .. 'sends')) < n then redis.call('SET', P .. 'sends', int(n)) end
return {'ok'}
