-- KEYS[1] st:{JOB}   ARGV[1] JSON: name token digest total cap rate_n rate_us ver paused lease grace who outbox
-- The first caller makes the job, and whoever comes when Redis has lost it makes it anew: everything in it is told again
-- by the workers (recount.lua).
local a = cjson.decode(ARGV[1])
local p = KEYS[1]
local j = p .. ':job'
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local digest = redis.call('HGET', j, 'digest')
if digest and digest ~= a.digest then
  return cjson.encode({r = 'DIFFERENT', digest = digest})
end
local g = redis.pcall('XGROUP', 'CREATE', p .. ':work', 'w', '0', 'MKSTREAM')
local made = not (type(g) == 'table' and g.err)
if not digest or made then
  redis.call('DEL', p .. ':work', p .. ':done', p .. ':slots', p .. ':begun', p .. ':outbox', p .. ':holds', p .. ':learned', j)
  for from = 0, 9999, 1000 do
    local seen = {}
    for i = from, from + 999 do seen[#seen + 1] = string.format('%s:seen:%04d', p, i) end
    redis.call('UNLINK', unpack(seen))
  end
  redis.call('XGROUP', 'CREATE', p .. ':work', 'w', '0', 'MKSTREAM')
  redis.call('HSET', j, 'format', 1, 'digest', a.digest, 'total', a.total, 'epoch', a.token .. ':' .. now, 'state', 'recount',
    'until', now + a.grace, 'cap', a.cap, 'rate_n', a.rate_n, 'rate_us', a.rate_us, 'lease', a.lease, 'cursor', 0,
    'unread', 0, 'unread_bytes', 0, 'made', now, 'ver', a.ver, 'paused', a.paused, 'drains', 0)
elseif a.ver > tonumber(redis.call('HGET', j, 'ver') or 0) then -- who made it anew had not heard of the latest
  redis.call('HSET', j, 'cap', a.cap, 'rate_n', a.rate_n, 'rate_us', a.rate_us, 'ver', a.ver, 'paused', a.paused)
end
local d = redis.call('HMGET', j, 'epoch', 'lease', 'drains')
local w = p .. ':w:' .. a.name
local held = redis.call('HMGET', w, 'token', 'who')
if held[1] and held[1] ~= a.token and held[2] ~= a.who then
  return cjson.encode({r = 'TAKEN', who = held[2] or ''})
end
redis.call('HSET', w, 'token', a.token, 'who', a.who, 'want', 0, 'counted', 0)
redis.call('PEXPIRE', w, d[2])
redis.call('ZADD', p .. ':workers', now, a.name)
redis.call('HSET', p .. ':outbox', a.name, a.outbox)
return cjson.encode({r = 'OK', epoch = d[1], lease = tonumber(d[2]), drains = tonumber(d[3] or 0)})
