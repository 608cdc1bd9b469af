#!lua flags=allow-oom
-- Put other messages in the place of some in a retry lane, where these still stand as they were read.
-- KEYS  lane      ARGV  pairs: the message as it was read, the one in its place
-- Returns how many were exchanged.
local other, exchanged = {}, 0
for i = 1, #ARGV, 2 do other[ARGV[i]] = ARGV[i + 1] end
for at, record in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if other[record] then
    redis.call('LSET', KEYS[1], at - 1, other[record])
    exchanged = exchanged + 1
  end
end
return exchanged
