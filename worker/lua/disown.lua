#!lua flags=allow-oom
-- Free the leases that a dead worker still holds.
-- KEYS  threes: lease, armed, later      ARGV  owner      Returns how many were freed.
local freed = 0
for i = 1, #KEYS, 3 do
  local token = redis.call('GET', KEYS[i])
  if token and string.sub(token, -#ARGV[1] - 1) == ':' .. ARGV[1] then
    redis.call('DEL', KEYS[i], KEYS[i + 1], KEYS[i + 2])
    freed = freed + 1
  end
end
return freed
