-- Takes freezes back; the alert goes with the last one. ARGV: alert subject,
-- then holders.
for i = 2, #ARGV do redis.call('HDEL', P .. 'frozen', ARGV[i]) end
if redis.call('EXISTS', P .. 'frozen') == 0 then redis.call('HDEL', P .. 'alerts', ARGV[1]) end
return {'ok'}
