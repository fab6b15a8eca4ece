-- KEYS[1] st:{JOB}   ARGV[1] JSON, see fleet/turn.h: what a worker tells and asks, in one call that happens as a whole.
-- Seeds count from 0 here. All times are Redis' own; what goes out is how much is left.
local a = cjson.decode(ARGV[1])
local p = KEYS[1]
local j, q, done = p .. ':job', p .. ':work', p .. ':done'
local t = redis.call('TIME')
local us = t[1] * 1000000 + t[2]
local now = math.floor(us / 1000)
local d = redis.call('HMGET', j, 'epoch', 'state', 'until', 'cap', 'lease', 'total', 'cursor', 'rate_n', 'rate_us', 'next',
  'paused', 'ver', 'drains', 'budgets')
if d[1] ~= a.epoch then
  return cjson.encode({r = 'GONE'})
end
local w = p .. ':w:' .. a.name
if redis.call('HGET', w, 'token') ~= a.token then
  return cjson.encode({r = 'LOST'})
end
local lease, total, cursor = tonumber(d[5]), tonumber(d[6]), tonumber(d[7])

-- what is durable at this worker; what it led to and is not done yet is known to this worker alone
local function set(first, n) -- up to 48 bits
  if n > 0 then redis.call('BITFIELD', done, 'SET', 'u' .. n, first, 2 ^ n - 1) end
end
for i = 1, #a.settled, 2 do -- runs: first, last
  local first, last = a.settled[i], a.settled[i + 1]
  if last - first < 48 then
    set(first, last - first + 1)
  else
    local byte = math.ceil(first / 8)
    local bytes = math.floor((last + 1) / 8) - byte
    set(first, byte * 8 - first)
    redis.call('SETRANGE', done, byte, string.rep('\255', bytes))
    set((byte + bytes) * 8, last + 1 - (byte + bytes) * 8)
  end
end
for _, entry in ipairs(a.ended) do
  redis.call('XACK', q, 'w', entry)
  redis.call('XDEL', q, entry)
  redis.call('HDEL', p .. ':begun', entry)
end
redis.call('HSET', p .. ':outbox', a.name, a.outbox)

-- it lives, and so do its leases
redis.call('HSET', w, 'want', a.want, 'counted', 1)
redis.call('PEXPIRE', w, lease)
redis.call('ZADD', p .. ':workers', now, a.name)
if a.said then redis.call('HSET', p .. ':said', a.name, cjson.encode(a.said)) end
local begun = p .. ':begun' -- by entry: the processes that have begun on it, and did not come back from it
for _, entry in ipairs(a.calm) do -- it has come through what others may have died of
  redis.call('XCLAIM', q, 'w', a.name, 0, entry, 'RETRYCOUNT', 1, 'JUSTID')
  redis.call('HDEL', begun, entry)
end
if a.begins ~= '' then
  local who = redis.call('HGET', begun, a.begins) or ''
  if not string.find(who, a.token, 1, true) then redis.call('HSET', begun, a.begins, who .. a.token .. ';') end
end
local lost = {}
for _, entry in ipairs(a.keep) do
  local o = redis.call('XPENDING', q, 'w', entry, entry, 1)
  if o[1] and o[1][2] == a.name then
    redis.call('XCLAIM', q, 'w', a.name, 0, entry, 'JUSTID')
  else
    lost[#lost + 1] = entry
  end
end

-- shares of the cap among those that want some, never more than the cap in all, whoever is slow to let go
local live, alive, counted = {}, {}, 0
for _, n in ipairs(redis.call('ZRANGEBYSCORE', p .. ':workers', now - lease, '+inf')) do
  local h = redis.call('HMGET', p .. ':w:' .. n, 'want', 'counted')
  if h[1] then
    live[#live + 1] = {n, tonumber(h[1])}
    alive[n] = true
    counted = counted + tonumber(h[2])
  end
end
local state = d[2]
if state == 'recount' and now >= tonumber(d[3]) and counted >= #live then
  state = 'open'
  redis.call('HSET', j, 'state', 'open')
end
local cap, slots, others = tonumber(d[4]), p .. ':slots', 0
local held = redis.call('HGETALL', slots)
for i = 1, #held, 2 do
  if not alive[held[i]] then
    redis.call('HDEL', slots, held[i])
  elseif held[i] ~= a.name then
    others = others + tonumber(held[i + 1])
  end
end
table.sort(live, function(x, y) return x[1] < y[1] end)
local wanting, rank = 0, 0
for _, l in ipairs(live) do
  if l[2] > 0 then
    wanting = wanting + 1
    if l[1] == a.name then rank = wanting end
  end
end
local mine = 0
if rank > 0 then
  mine = math.floor(cap / wanting)
  if rank <= cap % wanting then mine = mine + 1 end
end
mine = math.min(mine, cap - others)
if mine < 0 or state ~= 'open' or d[11] == '1' then mine = 0 end -- while it is recounted nobody knows what others have in flight
redis.call('HSET', slots, a.name, math.max(mine, a.in_flight))

-- holds that servers named
local holds, known = {}, p .. ':holds'
for _, hold in ipairs(a.holds) do
  local u = us + hold[2]
  local before = redis.call('HGET', known, hold[1])
  if (not before or tonumber(before) < u) and (before or redis.call('HLEN', known) < 256) then
    redis.call('HSET', known, hold[1], string.format('%.0f', u))
  end
end
held = redis.call('HGETALL', known)
for i = 1, #held, 2 do
  local left = tonumber(held[i + 1]) - us
  if left > 0 then
    holds[#holds + 1] = {held[i], math.min(math.floor(left), 9e13)} -- cjson writes 1e14 and more with an exponent
  else
    redis.call('HDEL', known, held[i])
  end
end

-- What refusals taught: of each limiter one worker learns, from its part of what all start, and the others follow. Who has
-- nothing to start any more, or is silent, leads no longer than LEADS.
local learned, taught, LEADS, KEPT = {}, p .. ':learned', 1500000, 60000000
local share = math.max(wanting, 1)
local function of(text)
  local leader, till, rate, once, hold, refused = string.match(text or '', '^(.*)\n(%d+) (%d+) (%d+) (%d+) (%d+)$')
  if not leader then return nil end
  return {leader = leader, till = tonumber(till), rate = tonumber(rate), once = tonumber(once), hold = tonumber(hold), refused = tonumber(refused)}
end
local function put(key, v)
  redis.call('HSET', taught, key, string.format('%s\n%.0f %.0f %.0f %.0f %.0f', v.leader, v.till, v.rate, v.once, v.hold, v.refused))
end
for _, q in ipairs(a.learned) do
  local v = of(redis.call('HGET', taught, q[1]))
  if not v and q[2] > 0 and q[7] == 1 and redis.call('HLEN', taught) < 256 then
    v = {leader = a.name, till = us + LEADS, rate = 0, once = 0, hold = 0, refused = 0}
    q[2] = 0
  elseif v and v.till < us and q[7] == 1 then
    v.leader, v.till = a.name, us + LEADS
  end
  if v and v.leader ~= a.name then
    v.refused = v.refused + q[2]
  elseif v and q[6] == 1 then
    v.rate, v.once, v.hold = q[3] * share, q[4] * share, us + q[5]
    if q[7] == 1 then v.till = us + LEADS end
  end
  if v and v.leader == a.name and q[6] == 1 and q[3] == 0 and q[4] == 0 and q[5] == 0 then
    redis.call('HDEL', taught, q[1]) -- it binds no more
  elseif v then
    put(q[1], v)
  end
end
held = redis.call('HGETALL', taught)
for i = 1, #held, 2 do
  local v = of(held[i + 1])
  if not v or v.till + KEPT < us then
    redis.call('HDEL', taught, held[i])
  else
    local mine = v.leader == a.name and 1 or 0
    local parts = {held[i], math.floor(v.rate / share), v.once > 0 and math.max(math.floor(v.once / share), 1) or 0,
      math.floor(math.max(v.hold - us, 0)), mine, mine * v.refused}
    learned[#learned + 1] = parts
    if mine == 1 and v.refused > 0 then
      v.refused = 0
      put(held[i], v)
    end
  end
end

-- starts: one rate for all, by the generic cell rate algorithm, as many as begin within the next 100 ms
local grant = {0, 0, 0}
local per = tonumber(d[9])
if a.starts > 0 and per > 0 and state == 'open' then
  local iv = per / tonumber(d[8])
  local at = math.min(math.max(tonumber(d[10] or 0), us), us + 100000 + iv) -- later only after Redis' clock was set back
  local n = math.min(a.starts, math.floor((us + 100000 - at) / iv) + 1)
  if n > 0 then
    redis.call('HSET', j, 'next', string.format('%.0f', at + n * iv))
    grant = {n, math.floor(at - us), math.ceil(iv)}
  end
end

-- work: after a start its own leases, else those that ran out, then what was found, then new ranges of the plan
-- found requests stand behind the JSON of the reply, as they are
local leases, texts, bytes = {}, {}, 0
local BYTES_ENOUGH = 524288 -- of them in one reply; the rest comes with the next, or when its lease is over
local function undone(first, last)
  local out, from = {}, nil
  if redis.call('BITCOUNT', done, math.floor(first / 8), math.floor(last / 8)) == 0 then return {{first, last}} end
  for i = first, last do
    if redis.call('GETBIT', done, i) == 0 then
      from = from or i
    elseif from then
      out[#out + 1] = {from, i - 1}
      from = nil
    end
  end
  if from then out[#out + 1] = {from, last} end
  return out
end
-- three that had it have died: each of its requests goes by itself, so that the one that they died of is told from the others
local function cut(entry, is_found, text, ranges)
  local parts = {}
  if is_found then
    for line in string.gmatch(text, '[^\n]+') do parts[#parts + 1] = line end
  else
    for _, r in ipairs(ranges) do
      for i = r[1], r[2] do parts[#parts + 1] = string.format('%d-%d', i, i) end
    end
  end
  if #parts < 2 then return false end
  for _, part in ipairs(parts) do redis.call('XADD', q, '*', is_found and 'f' or 's', part, 'n', is_found and 1 or 0, 'cut', 1) end
  if is_found then
    redis.call('HINCRBY', j, 'unread', #parts)
    redis.call('HINCRBY', j, 'unread_bytes', #text)
  end
  redis.call('XACK', q, 'w', entry)
  redis.call('XDEL', q, entry)
  return true
end
local function add(e, was_given)
  if e and e[2] then
    local is_found, text = e[2][1] == 'f', e[2][2]
    local ranges = {}
    bytes = bytes + #text
    if not is_found then
      local first, last = string.match(text, '(%d+)-(%d+)')
      ranges = undone(tonumber(first), tonumber(last))
    end
    local times = e[2][5] and 2 or 1 -- of one that was cut others had it before
    if was_given then
      local o = redis.call('XPENDING', q, 'w', e[1], e[1], 1)
      times = math.max(o[1] and o[1][4] or 1, times)
      if times > 3 and cut(e[1], is_found, text, ranges) then return end
    end
    local deaths = 0
    if times > 1 then deaths = select(2, string.gsub(redis.call('HGET', begun, e[1]) or '', ';', '')) end
    leases[#leases + 1] = {e[1], ranges, is_found and #text or 0, times, deaths}
    if is_found then texts[#texts + 1] = text end
  end
end
if a.fresh then
  for _, e in ipairs(redis.call('XREADGROUP', 'GROUP', 'w', a.name, 'COUNT', 1000, 'STREAMS', q, '0')[1][2]) do
    if bytes < BYTES_ENOUGH then add(e, true) end
  end
end
if state == 'open' and a.seeds > 0 then
  local from, looks = '0-0', 0
  repeat -- one look is at ten of them, which others may hold
    local found = redis.call('XAUTOCLAIM', q, 'w', a.name, lease, from, 'COUNT', 1)
    for _, e in ipairs(found[2]) do add(e, true) end
    from, looks = found[1], looks + 1
  until #leases > 0 or from == '0-0' or looks == 100
  if #leases == 0 then -- what was found, before there is more of it
    -- no more than its part of them, so that the others find some, too
    local part = math.min(a.seeds, tonumber(redis.call('HGET', j, 'unread') or 0) / math.max(#live, 1), 256)
    local n, taken, e = 0, 0
    repeat
      local unread = redis.call('XREADGROUP', 'GROUP', 'w', a.name, 'COUNT', 1, 'STREAMS', q, '>')
      e = unread and unread[1][2][1]
      add(e)
      n = n + (e and tonumber(e[2][4]) or 0)
      taken = taken + (e and e[2][1] == 'f' and #e[2][2] or 0)
    until not e or n + 16 > part or bytes >= BYTES_ENOUGH or #leases >= 16
    if n > 0 then
      redis.call('HINCRBY', j, 'unread', -n)
      redis.call('HINCRBY', j, 'unread_bytes', -taken)
    end
  end
  while #leases == 0 and cursor < total do
    local last = math.min(cursor + a.seeds, total) - 1
    if redis.call('BITCOUNT', done, cursor / 8, math.floor(last / 8)) < last - cursor + 1 then
      redis.call('XADD', q, '*', 's', string.format('%d-%d', cursor, last))
      add(redis.call('XREADGROUP', 'GROUP', 'w', a.name, 'COUNT', 1, 'STREAMS', q, '>')[1][2][1])
    end
    cursor = last + 1
  end
  redis.call('HSET', j, 'cursor', cursor)
end

-- it is over when nothing of the plan is open and nobody has found anything that is
local rest, waits = 0, ''
held = redis.call('HGETALL', p .. ':outbox')
for i = 1, #held, 2 do
  rest = rest + tonumber(held[i + 1])
  if tonumber(held[i + 1]) > 0 and not alive[held[i]] and waits == '' then
    waits = string.gsub(held[i], '[\128-\255]', '?')
  end
end
local over = state == 'open' and cursor >= total and redis.call('XLEN', q) == 0 and rest == 0
if a.leaves then -- what it leaves is not waited for until its lease is over
  for _, o in ipairs(redis.call('XPENDING', q, 'w', '-', '+', 1000, a.name)) do -- others may have it at once: nobody died of it
    redis.call('XCLAIM', q, 'w', a.name, 0, o[1], 'IDLE', lease, 'RETRYCOUNT', 0, 'JUSTID')
  end
  redis.call('DEL', w)
  redis.call('HDEL', slots, a.name)
end
return cjson.encode({r = 'OK', state = state, slots = mine, live = #live, lost = lost, holds = holds, learned = learned, wanting = wanting, grant = grant,
  begun = a.begins, leases = leases, over = over, waits = waits, cap = cap, rate_m = math.floor(tonumber(d[8]) * 1000 + 0.5), rate_us = per, paused = d[11] == '1',
  ver = tonumber(d[12] or 0), drains = tonumber(d[13] or 0), budgets = tonumber(d[14] or 0)}) .. '\n' .. table.concat(texts)
