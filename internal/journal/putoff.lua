-- Looks at an action's backfill again later. ARGV: campaign/action, when.
redis.call('ZADD', P .. 'schedule', 'XX', ARGV[2], ARGV[1] .. '/backfill')
return {'ok'}
