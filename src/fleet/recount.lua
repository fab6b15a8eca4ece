-- KEYS[1] st:{JOB}   ARGV epoch offset bytes: which requests of the plan are done at a worker, a bit each
local p = KEYS[1]
if redis.call('HGET', p .. ':job', 'epoch') ~= ARGV[1] then
  return cjson.encode({r = 'GONE'})
end
redis.call('DEL', p .. ':or')
redis.call('SETRANGE', p .. ':or', ARGV[2], ARGV[3])
redis.call('BITOP', 'OR', p .. ':done', p .. ':done', p .. ':or')
redis.call('DEL', p .. ':or')
return cjson.encode({r = 'OK'})
