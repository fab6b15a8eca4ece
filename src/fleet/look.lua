-- KEYS[1] st:{JOB}: how far the job is, and who works on it. Changes nothing, so that a replica answers, too.
local p = KEYS[1]
local q = p .. ':work'
local d = redis.call('HMGET', p .. ':job', 'digest', 'total', 'state', 'cap', 'rate_n', 'rate_us', 'paused', 'cursor', 'lease', 'made', 'unread')
if not d[1] then return cjson.encode({r = 'GONE'}) end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local leases, open = {}, redis.call('XLEN', q)
if open > 0 then
  for _, c in ipairs(redis.call('XPENDING', q, 'w')[4] or {}) do leases[c[1]] = tonumber(c[2]) end
end
-- what stands in JSON is UTF-8, and names of ours are ASCII
local function shown(name) return (string.gsub(name, '[\128-\255]', '?')) end
local said, out, workers, live, rest, waits = p .. ':said', p .. ':outbox', {}, 0, 0, ''
local names = redis.call('ZREVRANGE', p .. ':workers', 0, 499, 'WITHSCORES')
for i = 1, #names, 2 do
  local n, heard = names[i], tonumber(names[i + 1])
  local s = redis.call('HGET', said, n)
  local w = s and cjson.decode(s) or {}
  w.name, w.heard = shown(n), math.max(now - heard, 0)
  w.live = heard >= now - tonumber(d[9]) and redis.call('EXISTS', p .. ':w:' .. n) == 1
  w.outbox = tonumber(redis.call('HGET', out, n) or 0)
  w.leases = leases[n] or 0
  if w.live then live = live + 1 end
  rest = rest + w.outbox
  if w.outbox > 0 and not w.live and waits == '' then waits = shown(n) end
  workers[#workers + 1] = w
end
local total, cursor = tonumber(d[2]), tonumber(d[8])
return cjson.encode({r = 'OK', digest = d[1], total = total, done = redis.call('BITCOUNT', p .. ':done'), open = d[3] == 'open',
  over = d[3] == 'open' and cursor >= total and open == 0 and rest == 0, cap = tonumber(d[4]), rate_m = math.floor(tonumber(d[5]) * 1000 + 0.5), rate_us = tonumber(d[6]),
  paused = d[7] == '1', age = math.max(now - tonumber(d[10] or now), 0), found = math.max(tonumber(d[11] or 0) or 0, 0), waits = waits, live = live, count = redis.call('ZCARD', p .. ':workers'), workers = workers})
