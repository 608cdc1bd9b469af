#!lua
-- Append dead letters to a line for their destination, each once: a token that is known is passed over.
-- KEYS  log, resent, lines, ready, count
-- ARGV  destination, line, most messages in an entry, most bytes in an entry, then fours: token, message,
--       the line that the message died in and its position there, if what becomes of it is to be told there; else ''
-- They wait again, and so are no longer counted as dead. Refused whole at maxmemory.
-- Returns how many were appended.
local log, destination, line = KEYS[1], ARGV[1], ARGV[2]
local most, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local attached = false
if redis.call('EXISTS', log) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    for i = 1, #group, 2 do
      if group[i] == 'name' and group[i + 1] == destination then attached = true end
    end
  end
end

local appended, pack, size, origin, origins = 0, {}, 0, '', {}
local function flush()
  if #pack > 0 and origin == '' then
    redis.call('XADD', log, '*', 'n', #pack, 'm', table.concat(pack, '\n'))
  elseif #pack > 0 then
    redis.call('XADD', log, '*', 'n', #pack, 'm', table.concat(pack, '\n'), 'l', origin, 'o', table.concat(origins, ' '))
  end
  appended = appended + #pack
  pack, size, origins = {}, 0, {}
end

for i = 5, #ARGV, 4 do
  if redis.call('ZADD', KEYS[2], 'NX', now, ARGV[i]) == 1 then
    local full = #pack == most or (#pack > 0 and size + #ARGV[i + 1] > most_bytes)
    if full or origin ~= ARGV[i + 2] then flush() end
    origin = ARGV[i + 2]
    pack[#pack + 1] = ARGV[i + 1]
    origins[#origins + 1] = ARGV[i + 3]
    size = size + #ARGV[i + 1]
  end
end
if not attached then redis.call('XGROUP', 'CREATE', log, destination, '0', 'MKSTREAM') end
flush()
redis.call('SADD', KEYS[3], line)
if appended > 0 then
  redis.call('ZADD', KEYS[4], 'NX', now, line)
  redis.call('HINCRBY', KEYS[5], 'dead:' .. destination, -appended)
end
return appended
