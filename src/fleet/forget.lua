-- KEYS[1] st:{JOB}   ARGV name grace sure (1; else it only says whether it may be done): a worker that never returns. What it alone had is asked again: the job is counted anew by
-- those who are there, and others tell what they have when they come.
local p = KEYS[1]
local j, name = p .. ':job', ARGV[1]
local d = redis.call('HMGET', j, 'epoch')
if not d[1] then return cjson.encode({r = 'GONE'}) end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local epoch = string.gsub(d[1], ':.*', '') .. string.format(':%d.%d', t[1], t[2])
local heard = redis.call('ZSCORE', p .. ':workers', name)
if not heard then return cjson.encode({r = 'LOST'}) end
if redis.call('EXISTS', p .. ':w:' .. name) == 1 then
  return cjson.encode({r = 'TAKEN'})
end
if ARGV[3] ~= '1' then return cjson.encode({r = 'OK'}) end
redis.call('ZREM', p .. ':workers', name)
redis.call('HDEL', p .. ':said', name)
redis.call('UNLINK', p .. ':work', p .. ':done', p .. ':outbox', p .. ':slots', p .. ':begun')
for from = 0, 9999, 1000 do
  local seen = {}
  for i = from, from + 999 do seen[#seen + 1] = string.format('%s:seen:%04d', p, i) end
  redis.call('UNLINK', unpack(seen))
end
redis.call('XGROUP', 'CREATE', p .. ':work', 'w', '0', 'MKSTREAM')
redis.call('HSET', j, 'epoch', epoch, 'state', 'recount', 'until', now + tonumber(ARGV[2]), 'cursor', 0, 'unread', 0, 'unread_bytes', 0)
return cjson.encode({r = 'OK'})
