-- KEYS[1] st:{JOB}   ARGV offset bytes: which requests of the plan are done, a bit each, the first in the highest; in hex
local p = KEYS[1]
local total = redis.call('HGET', p .. ':job', 'total')
if not total then return cjson.encode({r = 'GONE'}) end
local first = tonumber(ARGV[1])
local bits = redis.call('GETRANGE', p .. ':done', first, first + tonumber(ARGV[2]) - 1)
local hex = string.gsub(bits, '.', function(c) return string.format('%02x', string.byte(c)) end)
hex = string.gsub(hex, '\n', '0a')
return cjson.encode({r = 'OK', total = tonumber(total), bits = hex})
