#!lua flags=allow-oom
-- Give the lease back. Without 'force' only when no line and no lane is due, so that no wake-up falls between two looks.
-- KEYS  lease, ready, armed, aside      ARGV  token, 'force' or ''
-- Returns 'idle' or 'more' (released; 'more': work is due), 'kept' (not released: work is due), 'lost'
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = redis.call('ZCARD', KEYS[2]) > 0
if not due then
  local first = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
  due = #first > 0 and tonumber(first[2]) <= now
end
if due and ARGV[2] ~= 'force' then return 'kept' end
redis.call('DEL', KEYS[1], KEYS[3])
return due and 'more' or 'idle'
