-- KEYS[1] st:{JOB}   ARGV epoch offset bytes: which requests of the plan are done at a worker, a bit each;
-- offset "found": bytes are the ids of found requests that are, each with a blank behind it
local p = KEYS[1]
if redis.call('HGET', p .. ':job', 'epoch') ~= ARGV[1] then
  return cjson.encode({r = 'GONE'})
end
if ARGV[2] == 'found' then -- as if published: nobody needs to ask them
  for id in string.gmatch(ARGV[3], '%d+') do redis.call('SADD', p .. ':seen:' .. string.sub(id, -4), id) end
  return cjson.encode({r = 'OK'})
end
redis.call('DEL', p .. ':or')
redis.call('SETRANGE', p .. ':or', ARGV[2], ARGV[3])
redis.call('BITOP', 'OR', p .. ':done', p .. ':done', p .. ':or')
redis.call('DEL', p .. ':or')
return cjson.encode({r = 'OK'})
