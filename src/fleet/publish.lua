-- KEYS[1] st:{JOB}   ARGV[1] JSON: name token epoch   ARGV[2] lines "ID TEXT": found requests that the worker alone knows of
-- Those that nobody has published become entries of a few, for any worker to take. FULL: later, it keeps them.
local a = cjson.decode(ARGV[1])
local p = KEYS[1]
local d = redis.call('HMGET', p .. ':job', 'epoch', 'state', 'unread', 'unread_bytes')
if d[1] ~= a.epoch then return cjson.encode({r = 'GONE'}) end
if redis.call('HGET', p .. ':w:' .. a.name, 'token') ~= a.token then return cjson.encode({r = 'LOST'}) end
-- what nobody has been handed yet: 20,000 requests, or 64 MiB
if d[2] ~= 'open' or tonumber(d[3] or 0) >= 20000 or tonumber(d[4] or 0) >= 67108864 then return cjson.encode({r = 'FULL'}) end
local MOST = 65536 -- bytes in an entry of more than one
local texts, bytes, new, of_all = {}, 0, 0, 0
local function add()
  if #texts > 0 then
    local text = table.concat(texts, '\n')
    redis.call('XADD', p .. ':work', '*', 'f', text, 'n', #texts)
    new, of_all = new + #texts, of_all + #text
    texts, bytes = {}, 0
  end
end
for id, text in string.gmatch(ARGV[2], '(%d+) ([^\n]+)\n') do
  -- 10,000 sets of integers: 8 bytes each; ids end evenly
  if redis.call('SADD', p .. ':seen:' .. string.sub(id, -4), id) == 1 then
    if bytes + #text > MOST then add() end
    texts[#texts + 1] = text
    bytes = bytes + #text
    if #texts == 16 then add() end
  end
end
add()
if new > 0 then
  redis.call('HINCRBY', p .. ':job', 'unread', new)
  redis.call('HINCRBY', p .. ':job', 'unread_bytes', of_all)
end
return cjson.encode({r = 'OK', new = new})
