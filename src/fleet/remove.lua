-- KEYS[1] st:{JOB}   ARGV[1] sure, as for forget.lua: the job's keys, when nobody works on it
local p = KEYS[1]
if redis.call('EXISTS', p .. ':job') == 0 then return cjson.encode({r = 'GONE'}) end
-- of keys that are not what we made of them nothing is known
local function list(...)
  local got = redis.pcall(...)
  return type(got) == 'table' and not got.err and got or {}
end
local live = {}
for _, n in ipairs(list('ZRANGE', p .. ':workers', 0, -1)) do
  if redis.call('EXISTS', p .. ':w:' .. n) == 1 then live[#live + 1] = n end
end
if #live > 0 then return cjson.encode({r = 'TAKEN', who = (string.gsub(live[1], '[\128-\255]', '?')), live = #live}) end
if ARGV[1] ~= '1' then return cjson.encode({r = 'OK'}) end
for _, n in ipairs(list('SMEMBERS', p .. ':budgets')) do redis.call('UNLINK', p .. ':budget:' .. n) end
for _, k in ipairs({':budgets', ':login', ':lock', ':job', ':work', ':done', ':or', ':slots', ':begun', ':outbox', ':holds', ':learned', ':said', ':workers'}) do
  redis.call('UNLINK', p .. k)
end
for from = 0, 9999, 1000 do
  local seen = {}
  for i = from, from + 999 do seen[#seen + 1] = string.format('%s:seen:%04d', p, i) end
  redis.call('UNLINK', unpack(seen))
end
return cjson.encode({r = 'OK'})
