-- Writes what was read of a job's applications. ARGV: job, count, then
-- application and answer for each: "status|worker|handed in|proof".
-- A list that was read before a verdict still shows the application as pending:
-- what is known of the same hand-in stays. 0 stands for a verdict not known.
local key = P .. 'answers:' .. ARGV[1]
for i = 3, 2 + 2 * num(ARGV[2]), 2 do
  local id, text = ARGV[i], ARGV[i + 1]
  local was = redis.call('HGET', key, id)
  local older = was and string.sub(text, 1, 1) == '4' and string.sub(was, 2) == string.sub(text, 2)
    and string.match(was, '^[1235]')
  if not older then answer(ARGV[1], id, text) end
end
return {'ok'}
