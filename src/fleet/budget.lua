-- KEYS[1] st:{JOB}   ARGV[1] JSON, see fleet/budget.h: what answers told of quotas, and starts that are asked for. One quota is
-- spent once by all: what is granted is taken off what is left, and what answers tell only ever lowers that, until
-- another window begins. All times are Redis' own; what comes and goes is how much is left.
local a = cjson.decode(ARGV[1])
local p = KEYS[1]
local j, names = p .. ':job', p .. ':budgets'
local AHEAD, GRAIN, UNKNOWN, MOST, ARRIVES, RECENT = 150000, 1100000, 1000000, 256, 20000, 30000
local t = redis.call('TIME')
local us = t[1] * 1000000 + t[2]
local d = redis.call('HMGET', j, 'epoch', 'state', 'total', 'cursor', 'lease', 'paused')
if d[1] ~= a.epoch then return cjson.encode({r = 'GONE'}) end
if redis.call('HGET', p .. ':w:' .. a.name, 'token') ~= a.token then return cjson.encode({r = 'LOST'}) end

local function text(n) return string.format('%.0f', n) end
local function key_of(name) return p .. ':budget:' .. name end
local FIELDS = {'kind', 'left', 'reset', 'limit', 'window', 'refill', 'at', 'next', 'all', 'assumed', 'granted', 'due', 'steady',
  'explained', 'doubt', 'doubts', 'slot', 'now', 'before', 'grain'}
local function read(name)
  local v = redis.call('HMGET', key_of(name), unpack(FIELDS))
  if not v[1] then return nil end
  local b = {kind = v[1]}
  for i = 2, #FIELDS do b[FIELDS[i]] = tonumber(v[i]) or 0 end
  if b.kind == 'bucket' then -- it has filled since
    b.left = math.min(b.limit, b.left + math.max(us - b.at, 0) * b.refill)
    b.at = us
  end
  return b
end
local function write(name, b)
  local words = {'kind', b.kind}
  for i = 2, #FIELDS do
    words[#words + 1] = FIELDS[i]
    words[#words + 1] = string.format('%.17g', b[FIELDS[i]])
  end
  redis.call('HSET', key_of(name), unpack(words))
end

-- what was granted in this window's length of time and the one before, by the clock
local function count(b, n)
  if b.window <= 0 then return end
  local slot = math.floor(us / b.window)
  if slot ~= b.slot then b.before, b.now = slot == b.slot + 1 and b.now or 0, 0 end
  b.slot, b.now = slot, b.now + n
end
local function spread_us(b) -- what was told in whole seconds may end earlier
  local over = math.max(b.reset - us, 0)
  return math.max(over - b.grain, over / 3) / math.max(b.left, 1)
end
local function apart_us(b) return b.limit > 0 and b.window / (0.975 * b.limit) or 0 end

-- in flight at most, and still to be asked, at all workers
redis.call('HSET', p .. ':w:' .. a.name, 'work', a.work)
local flights, work, live = 0, tonumber(d[3]) - tonumber(d[4]), {}
for _, n in ipairs(redis.call('HVALS', p .. ':slots')) do flights = flights + tonumber(n) end
local since = math.floor(us / 1000) - tonumber(d[5])
for _, n in ipairs(redis.call('ZRANGEBYSCORE', p .. ':workers', since, '+inf')) do
  local left = redis.call('HGET', p .. ':w:' .. n, 'work')
  work = work + tonumber(left or 0)
  if left and n ~= a.name then live[#live + 1] = 'busy:' .. n end
end
local function busy_elsewhere(name) -- granted to others: not spent yet, or in flight
  local sum = 0
  for _, field in ipairs(live) do sum = sum + tonumber(redis.call('HGET', key_of(name), field) or 0) end
  return sum
end

-- What an answer told. One whose counters are by address tells more than what is left of all: only a few times in a row,
-- and by more than what is on its way, that is no accident.
local apart = {}
local function look_apart(name, b, q)
  if b.limit == 0 or b.kind ~= 'window' then return end
  if b.granted - (b.limit - q.seen) > 2 * flights + 5 then
    local times = redis.call('HINCRBY', key_of(name), 'apart', 1)
    if times >= 3 then apart[#apart + 1] = name end
  else
    redis.call('HSET', key_of(name), 'apart', 0)
  end
end
local function tell(q)
  local b = read(q.key)
  if q.kind == 'none' then
    redis.call('DEL', key_of(q.key))
    redis.call('SREM', names, q.key)
    return
  end
  if not b and redis.call('SCARD', names) >= MOST then return end
  local reset = us + q.reset
  local given = redis.call('HGET', key_of(q.key), 'given:' .. a.name)
  local is_fresh = us - q.age > tonumber(given or 0) + ARRIVES -- else this worker has got more since that answer
  local slack = q.window > 0 and math.min(GRAIN, q.window / 2) or GRAIN
  local is_new = not b or b.kind ~= q.kind or b.limit ~= q.limit
  if not is_new and q.kind == 'rate' then return end -- each counts by itself, and the first one's count is all's from then on
  if not is_new and q.kind == 'window' then
    if reset < b.reset - slack and us < b.reset and b.assumed == 0 then return end -- of a window that was before
    is_new = us >= b.reset or reset > b.reset + slack or b.assumed == 1
  end
  if is_new then
    local o = b or {due = us + (q.limit - q.seen) * (q.limit > 0 and q.window / q.limit or 0), doubt = 0, doubts = 0, slot = 0, now = 0,
      before = 0}
    if not b and q.window > 0 then o.slot, o.now = math.floor(us / q.window), math.max(q.limit - q.seen, 0) end
    b = {kind = q.kind, left = q.left, reset = reset, at = us, next = 0, assumed = 0, granted = math.max(q.limit - q.left, 0),
      due = o.due, doubt = o.doubt, doubts = o.doubts, slot = o.slot, now = o.now, before = o.before}
    redis.call('SADD', names, q.key)
  else
    -- What comes back within a window is believed as far as all that may not have been counted is taken off.
    b.left = math.min(b.left, q.left)
    if q.kind == 'window' and is_fresh and q.age < RECENT then b.left = math.max(b.left, q.left - q.spare - busy_elsewhere(q.key)) end
    if q.kind == 'window' then b.reset = math.min(b.reset, reset) end
  end
  b.grain = q.grain
  if b.left >= 1 then b.next = math.min(b.next, us + spread_us(b)) end -- spread anew
  b.limit, b.window, b.refill, b.all, b.steady = q.limit, q.window, q.refill / 1e12, q.all and 1 or 0, q.steady and 1 or 0
  -- by the rate: while all that the server has counted was granted here (plan/allowance.h)
  count(b, 0)
  b.explained = q.limit - q.seen <= b.now + b.before and 1 or 0
  b.due = math.min(b.due, us + (math.max(q.limit - q.seen, 0) + flights) * apart_us(b))
  if q.refused and q.window > 0 then
    b.doubts = math.min(b.doubts + 1, 10)
    b.doubt = us + 5 * 2 ^ b.doubts * q.window
  end
  if not is_new then look_apart(q.key, b, q) end
  write(q.key, b)
  if is_fresh then redis.call('HSET', key_of(q.key), 'busy:' .. a.name, q.busy) end
end
for _, q in ipairs(a.told) do tell(q) end
for _, q in ipairs(a.back) do
  local b = read(q[1])
  if b and us < b.reset + (b.kind == 'bucket' and 1e15 or 0) then
    b.left, b.granted = b.left + q[2], b.granted - q[2]
    write(q[1], b)
  end
end

-- starts: {count, first, spacing} or when to ask again
local function grant(name, n)
  local b = read(name)
  if not b then return {name, 0, 0, 0, UNKNOWN, 0} end
  if d[2] ~= 'open' or d[6] == '1' then return {name, 0, 0, 0, UNKNOWN, 1} end
  local iv, full = 0, apart_us(b)
  if b.kind ~= 'bucket' and us >= b.reset then -- what the next window gives is a guess, until an answer tells
    local length = math.max(b.window, UNKNOWN)
    b.reset = (b.all == 1 and b.reset + length > us) and b.reset + length or us + length
    b.left, b.granted = (b.all == 1 and b.limit > 0) and b.limit or 1, 0
    b.assumed, b.next = b.all == 1 and 0 or 1, 0
  end
  if b.kind ~= 'bucket' and b.left < work and b.left >= 1 then
    iv = b.all == 1 and full > 0 and math.max(full, 1) or spread_us(b)
  end
  local at = math.min(math.max(b.next, us), math.max(b.reset, us))
  local by_left, by_rate, due = math.min(n, math.floor(b.left)), 0, math.max(b.due, us)
  if iv > 0 then by_left = math.min(by_left, math.floor((us + AHEAD - at) / iv) + 1) end
  if b.kind == 'window' and full > 0 and b.steady == 1 and b.explained == 1 and us >= b.doubt then
    by_rate = math.min(n, math.floor((us + AHEAD - due) / full) + 1)
  end
  if by_left < 1 and by_rate < 1 then
    local wait = at - us - AHEAD
    if b.left < 1 then wait = b.kind == 'bucket' and (b.refill > 0 and (1 - b.left) / b.refill or UNKNOWN) or b.reset - us end
    write(name, b)
    return {name, 0, 0, 0, math.floor(math.min(math.max(wait, 0), 9e13)), 1}
  end
  if by_rate > by_left then
    n, at, iv = by_rate, due, full
  else
    n = by_left
  end
  b.left, b.granted, b.next, b.due = math.max(b.left - n, 0), b.granted + n, at + n * iv, due + n * full
  count(b, n)
  write(name, b)
  redis.call('HINCRBY', key_of(name), 'busy:' .. a.name, n)
  redis.call('HSET', key_of(name), 'given:' .. a.name, text(us))
  return {name, n, math.floor(at - us), math.ceil(iv), 0, 1}
end
local grants = {}
for _, q in ipairs(a.asks) do grants[#grants + 1] = grant(q[1], q[2]) end

local count = redis.call('SCARD', names)
redis.call('HSET', j, 'budgets', count)
local known = {}
if count ~= a.known or #a.told > 0 then known = redis.call('SMEMBERS', names) end
return cjson.encode({r = 'OK', count = count, known = known, grants = grants, apart = apart})
