#!lua
-- Append dead letters to a line for their destination, each once: a token that is known is passed over.
-- KEYS  log, resent, lines, ready, count
-- ARGV  destination, line, most messages in an entry, most bytes in an entry, then pairs: token, message
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

local appended, pack, size = 0, {}, 0
local function flush()
  if #pack > 0 then redis.call('XADD', log, '*', 'n', #pack, 'm', table.concat(pack, '\n')) end
  appended = appended + #pack
  pack, size = {}, 0
end

for i = 5, #ARGV, 2 do
  if redis.call('ZADD', KEYS[2], 'NX', now, ARGV[i]) == 1 then
    if #pack == most or (#pack > 0 and size + #ARGV[i + 1] > most_bytes) then flush() end
    pack[#pack + 1] = ARGV[i + 1]
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
