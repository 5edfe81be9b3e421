-- Writes that a page of ratings was done, with the indexes written once a page.
-- ARGV: now, count, then id, nonce, stamp, event, job, application and the digit
--       of its new status for each.
-- Returns {'ok', word...}: 'ok', or what keeps settle.lua from being spared.
local now, count = ARGV[1], num(ARGV[2])
local out, left, done, jobs = {'ok'}, {}, {}, {}
local function add(t, key, n) t[key] = (t[key] or 0) + n end
local counts, live = {}, {}
for i = 1, count do
  local base = 3 + 7 * (i - 1)
  local id, nonce, stamp = ARGV[base], ARGV[base + 1], ARGV[base + 2]
  local k = opkey(id)
  local f = redis.call('HMGET', k, 's', 'x', 'y', 'h', 'kc', 'ln', 'a', 'ev', 'neg', 'e')
  local word = 'ok'
  if f[3] == stamp then word = 'ok'
  elseif f[1] ~= 'sending' then word = f[1] or 'gone'
  elseif f[2] ~= nonce then word = 'stale'
  elseif (f[5] and f[5] ~= '') or (f[6] and f[6] ~= '') then word = 'money'
  else
    local event = ARGV[base + 3]
    redis.call('HSET', k, 's', 'applied', 'ut', now, 'due', now, 'st', now, 'y', stamp, 'x', '',
      'h', f[4] and (f[4] .. '\n' .. event) or event)
    -- What an attempt by itself left; a page leaves none of it but x.
    if f[5] or f[6] or f[8] or f[9] or f[10] then redis.call('HDEL', k, 'e', 'ev', 'neg', 'kc', 'b', 'ln') end
    left[#left + 1] = id
    local c = campaign_of(id)
    add(counts, c, 1)
    if f[7] then
      live[c] = live[c] or {}
      add(live[c], f[7], 1)
    end
    local job = ARGV[base + 4]
    if job ~= '' and ARGV[base + 5] ~= '' then
      jobs[job] = jobs[job] or {}
      table.insert(jobs[job], {ARGV[base + 5], ARGV[base + 6]})
    end
  end
  out[#out + 1] = word
end
if #left == 0 then return out end
redis.call('ZREM', P .. 'open:sending', unpack(left))
for c, n in pairs(counts) do
  redis.call('HINCRBY', P .. 'count:' .. c, 'sending', -n)
  redis.call('HINCRBY', P .. 'count:' .. c, 'applied', n)
  for a, k in pairs(live[c] or {}) do redis.call('HINCRBY', P .. 'live:' .. c, a, -k) end
end
redis.call('HINCRBY', P .. 'count', 'sending', -#left)
redis.call('HINCRBY', P .. 'count', 'applied', #left)
for job, list in pairs(jobs) do
  for _, r in ipairs(list) do rated(job, r[1], r[2]) end
end
return out
