#!lua flags=allow-oom
-- Take a line away, with what still waits in it or aside; nothing can be appended to it afterwards.
-- What a courier may have in hand right now is left to it, and then the line stays until somebody asks again.
-- KEYS  log, lines, ready, count, cursor, left, lease, aside, apart, hand
-- ARGV  line, destination, a cursor beyond all others, beginning of a retry lane's key
-- Returns {messages that were dropped, messages and entries that may be in a courier's hand}.
-- `base` keeps the accounts balanced.
local line, destination, prefix = ARGV[1], ARGV[2], ARGV[4]
redis.call('HSET', KEYS[5], 'at', ARGV[3])
local free = redis.call('EXISTS', KEYS[7]) == 0
local dropped, in_hand = 0, 0

local function drop(entries)
  for _, entry in ipairs(entries) do
    local left = redis.call('HGET', KEYS[6], entry[1])
    for i = 1, #entry[2], 2 do
      if entry[2][i] == 'n' and not left then dropped = dropped + tonumber(entry[2][i + 1]) end
    end
    if left then dropped = dropped + select(2, string.gsub(left, ',', ',')) + 1 end
    redis.call('XDEL', KEYS[1], entry[1])
  end
end

if redis.call('EXISTS', KEYS[1]) == 1 then
  local read, pending = '-', 0
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    if fields['name'] == destination then
      read, pending = '(' .. fields['last-delivered-id'], fields['pending']
    end
  end
  drop(redis.call('XRANGE', KEYS[1], read, '+'))
  if not free then
    in_hand = pending
  elseif pending > 0 then
    for _, one in ipairs(redis.call('XPENDING', KEYS[1], destination, '-', '+', pending)) do
      drop(redis.call('XRANGE', KEYS[1], one[1], one[1]))
    end
  end
end

local apart = 0
for _, lane in ipairs(redis.call('ZRANGE', KEYS[8], 0, -1)) do
  for _, record in ipairs(redis.call('LRANGE', prefix .. lane, 0, -1)) do
    if string.match(record, '^{"position":"[^"]*","line":"([^"]*)"') == line then
      if free then redis.call('LREM', prefix .. lane, 1, record) end
      apart = apart + 1
    end
  end
  if redis.call('EXISTS', prefix .. lane) == 0 then redis.call('ZREM', KEYS[8], lane) end
end
if not free then
  in_hand = in_hand + apart
elseif apart > 0 then
  dropped = dropped + apart
  if redis.call('DECRBY', KEYS[9], apart) <= 0 then redis.call('DEL', KEYS[9]) end
end

if dropped > 0 then redis.call('HINCRBY', KEYS[4], 'base:' .. destination, dropped) end
if in_hand == 0 then
  redis.call('DEL', KEYS[1], KEYS[6])
  redis.call('ZREM', KEYS[3], line)
  redis.call('SREM', KEYS[2], line)
  redis.call('HDEL', KEYS[10], line, 'at:' .. line, 'times:' .. line)
end
return {dropped, in_hand}
