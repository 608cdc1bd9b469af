#!lua flags=allow-oom
-- Take the right to try a destination that is out, unless somebody was quicker since the caller looked.
-- KEYS  out      ARGV  attempts seen, probing seen, right lasts ms      Returns 1 when it is ours.
local stored = redis.call('HMGET', KEYS[1], 'attempts', 'probing')
if stored[1] ~= ARGV[1] or (stored[2] or '0') ~= ARGV[2] then return 0 end
local clock = redis.call('TIME')
redis.call('HSET', KEYS[1], 'probing', clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[3]))
return 1
