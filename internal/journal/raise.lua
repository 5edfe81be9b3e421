-- Raises a holder's sequence number, and the highest of all with it. A journal
-- that gave out no number yet takes the name of the one that it stands in for.
-- ARGV: holder, number, journal id.
-- Returns {'ok'}, or {'other', id} where it is another journal.
local seqs, n, have = P .. 'seqs', num(ARGV[2]), redis.call('GET', P .. 'id')
if have ~= ARGV[3] then
  if have and redis.call('EXISTS', P .. 'sends') == 1 then return {'other', have} end
  redis.call('SET', P .. 'id', ARGV[3])
end
if num(redis.call('HGET', seqs, ARGV[1])) < n then redis.call('HSET', seqs, ARGV[1], int(n)) end
if num(redis.call('GET', P .. 'sends')) < n then redis.call('SET', P .. 'sends', int(n)) end
return {'ok'}
