-- KEYS[1] st:{JOB}   ARGV pairs: cap N, rate_n N, rate_us N, paused 0|1, drains 1
-- Workers hear of it with their next turn. Settings have a version: when Redis has lost them, the workers tell the latest.
local j = KEYS[1] .. ':job'
if redis.call('EXISTS', j) == 0 then return cjson.encode({r = 'GONE'}) end
for i = 1, #ARGV, 2 do
  if ARGV[i] == 'drains' then
    redis.call('HINCRBY', j, 'drains', 1)
  else
    redis.call('HSET', j, ARGV[i], ARGV[i + 1])
  end
end
redis.call('HINCRBY', j, 'ver', 1)
return cjson.encode({r = 'OK'})
