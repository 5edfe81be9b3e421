-- Gives the scheduler's lease back. ARGV: holder.
if redis.call('HGET', P .. 'lease', 'holder') == ARGV[1] then redis.call('DEL', P .. 'lease') end
return {'ok'}
