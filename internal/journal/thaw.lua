-- Takes freezes back, with the alerts that tell of them. ARGV: the beginning of
-- the alerts' subjects, then holders.
for i = 2, #ARGV do
  redis.call('HDEL', P .. 'frozen', ARGV[i])
  redis.call('HDEL', P .. 'alerts', ARGV[1] .. ARGV[i])
end
return {'ok'}
