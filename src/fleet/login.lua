-- KEYS[1] st:{JOB}   ARGV[1] JSON, see fleet/fleet_login.h: one login for all. The token is sealed by who got it, and nobody can read
-- it here. Who asks gets one that is another than its own; else the first may log in, and the others wait for that.
local a = cjson.decode(ARGV[1])
local p = KEYS[1]
local j, login, lock = p .. ':job', p .. ':login', p .. ':lock'
local UNKNOWN = 86400000 -- when nobody says how long a token is good
local d = redis.call('HMGET', j, 'epoch', 'logins')
if d[1] ~= a.epoch then return cjson.encode({r = 'GONE'}) end
if redis.call('HGET', p .. ':w:' .. a.name, 'token') ~= a.token then return cjson.encode({r = 'LOST'}) end
local logins = tonumber(d[2] or 0)
local owner = redis.call('GET', lock)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if a.own or a.sealed then logins = redis.call('HINCRBY', j, 'logins', 1) end
local mine = ''
if a.sealed then
  mine = string.format('%d%06d', time[1], time[2]) -- the moment, which no other one has
  local life = a.life > 0 and math.max(math.floor(a.life / 1000), 1) or UNKNOWN
  redis.call('HSET', login, 'n', mine, 'sealed', a.sealed, 'ends', a.life > 0 and 1 or 0, 'until', now + life)
  redis.call('PEXPIRE', login, a.keeps and math.max(life, UNKNOWN) or life) -- a refresh token in it outlives the token
end
if (a.sealed or a.gives_up) and owner == a.name then redis.call('DEL', lock) end
if a.void ~= '' and redis.call('HGET', login, 'n') == a.void then redis.call('HSET', login, 'ends', 1, 'until', 0) end

local may, latest = false, ''
if a.asks then
  local t = redis.call('HMGET', login, 'n', 'sealed', 'ends', 'until')
  local left = t[1] and (t[3] == '1' and math.min(math.max(tonumber(t[4]) - now, 0) * 1000, 9e13) or 0) or 0
  local lives = t[1] and (t[3] ~= '1' or left > 0)
  if lives and t[1] ~= a.have then
    return cjson.encode({r = 'OK', n = t[1], sealed = t[2], left = left, mine = mine, may = false, logins = logins})
  end
  if t[1] and not lives and t[1] ~= a.have then latest = t[2] end -- only for what is to be logged in with
  if owner and owner ~= a.name and redis.call('EXISTS', p .. ':w:' .. owner) == 0 then owner = nil end -- it is gone
  may = not owner or owner == a.name
  if may then redis.call('SET', lock, a.name, 'PX', a.most) end
end
return cjson.encode({r = 'OK', n = '', sealed = may and latest or '', left = 0, mine = mine, may = may, logins = logins})
