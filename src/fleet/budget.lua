-- KEYS[1] st:{JOB}   ARGV[1] JSON, see fleet/budget.h: what answers told of quotas, and starts that are asked for. One quota is
-- spent once by all: what is granted is taken off what is left, and what answers tell only ever lowers that, until
-- another window begins. All times are Redis' own; what comes and goes is how much is left.
local a = cjson.decode(ARGV[1])
local p = KEYS[1]
local j, names = p .. ':job', p .. ':budgets'
local AHEAD, GRAIN, UNKNOWN, MOST = 150000, 1100000, 1000000, 256
local t = redis.call('TIME')
local us = t[1] * 1000000 + t[2]
local d = redis.call('HMGET', j, 'epoch', 'state', 'total', 'cursor', 'lease', 'paused')
if d[1] ~= a.epoch then return cjson.encode({r = 'GONE'}) end
if redis.call('HGET', p .. ':w:' .. a.name, 'token') ~= a.token then return cjson.encode({r = 'LOST'}) end

local function text(n) return string.format('%.0f', n) end
local function key_of(name) return p .. ':budget:' .. name end
local function read(name)
  local v = redis.call('HMGET', key_of(name), 'kind', 'left', 'reset', 'limit', 'window', 'refill', 'at', 'next', 'all', 'assumed',
    'granted')
  if not v[1] then return nil end
  local b = {kind = v[1]}
  for i, field in ipairs({'left', 'reset', 'limit', 'window', 'refill', 'at', 'next', 'all', 'assumed', 'granted'}) do
    b[field] = tonumber(v[i + 1]) or 0
  end
  if b.kind == 'bucket' then -- it has filled since
    b.left = math.min(b.limit, b.left + math.max(us - b.at, 0) * b.refill)
    b.at = us
  end
  return b
end
local function write(name, b)
  redis.call('HSET', key_of(name), 'kind', b.kind, 'left', string.format('%.3f', b.left), 'reset', text(b.reset), 'limit',
    text(b.limit), 'window', text(b.window), 'refill', string.format('%.17g', b.refill), 'at', text(b.at), 'next', text(b.next),
    'all', b.all, 'assumed', b.assumed, 'granted', text(b.granted))
end

-- in flight at most, and still to be asked, at all workers
redis.call('HSET', p .. ':w:' .. a.name, 'work', a.work)
local flights, work = 0, tonumber(d[3]) - tonumber(d[4])
for _, n in ipairs(redis.call('HVALS', p .. ':slots')) do flights = flights + tonumber(n) end
local since = math.floor(us / 1000) - tonumber(d[5])
for _, n in ipairs(redis.call('ZRANGEBYSCORE', p .. ':workers', since, '+inf')) do
  work = work + tonumber(redis.call('HGET', p .. ':w:' .. n, 'work') or 0)
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
  local slack = q.window > 0 and math.min(GRAIN, q.window / 2) or GRAIN
  local is_new = not b or b.kind ~= q.kind or b.limit ~= q.limit
  if not is_new and q.kind == 'rate' then return end -- each counts by itself, and the first one's count is all's from then on
  if not is_new and q.kind == 'window' then
    if reset < b.reset - slack and us < b.reset and b.assumed == 0 then return end -- of a window that was before
    is_new = us >= b.reset or reset > b.reset + slack or b.assumed == 1
  end
  if is_new then
    b = {kind = q.kind, left = q.left, reset = reset, at = us, next = 0, assumed = 0, granted = math.max(q.limit - q.left, 0)}
    redis.call('SADD', names, q.key)
  else
    b.left = math.min(b.left, q.left)
    if q.kind == 'window' then b.reset = math.min(b.reset, reset) end
  end
  b.limit, b.window, b.refill, b.all = q.limit, q.window, q.refill / 1e12, q.all and 1 or 0
  if not is_new then look_apart(q.key, b, q) end
  write(q.key, b)
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
  local iv, full = 0, b.limit > 0 and b.window / (0.975 * b.limit) or 0
  if b.kind ~= 'bucket' and us >= b.reset then -- what the next window gives is a guess, until an answer tells
    local length = math.max(b.window, UNKNOWN)
    b.reset = (b.all == 1 and b.reset + length > us) and b.reset + length or us + length
    b.left, b.granted = (b.all == 1 and b.limit > 0) and b.limit or 1, 0
    b.assumed, b.next = b.all == 1 and 0 or 1, 0
  end
  if b.kind ~= 'bucket' and b.left < work and b.left >= 1 then
    iv = b.all == 1 and full > 0 and math.max(full, 1) or (b.reset - us) / b.left
  end
  local at = math.min(math.max(b.next, us), math.max(b.reset, us))
  n = math.min(n, math.floor(b.left))
  if iv > 0 then n = math.min(n, math.floor((us + AHEAD - at) / iv) + 1) end
  if n < 1 then
    local wait = at - us - AHEAD
    if b.left < 1 then wait = b.kind == 'bucket' and (b.refill > 0 and (1 - b.left) / b.refill or UNKNOWN) or b.reset - us end
    write(name, b)
    return {name, 0, 0, 0, math.floor(math.min(math.max(wait, 0), 9e13)), 1}
  end
  b.left, b.granted, b.next = b.left - n, b.granted + n, at + n * iv
  write(name, b)
  return {name, n, math.floor(at - us), math.ceil(iv), 0, 1}
end
local grants = {}
for _, q in ipairs(a.asks) do grants[#grants + 1] = grant(q[1], q[2]) end

local count = redis.call('SCARD', names)
redis.call('HSET', j, 'budgets', count)
local known = {}
if count ~= a.known or #a.told > 0 then known = redis.call('SMEMBERS', names) end
return cjson.encode({r = 'OK', count = count, known = known, grants = grants, apart = apart})
