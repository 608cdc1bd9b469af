#!lua flags=allow-oom
-- Count deaths and other ends of messages by the minute, for ten minutes.
-- KEYS  toll      ARGV  dead, others      Returns both sums over the last ten minutes.
local minute = math.floor(redis.call('TIME')[1] / 60)
if tonumber(ARGV[1]) > 0 then redis.call('HINCRBY', KEYS[1], minute .. ':dead', ARGV[1]) end
if tonumber(ARGV[2]) > 0 then redis.call('HINCRBY', KEYS[1], minute .. ':others', ARGV[2]) end
redis.call('EXPIRE', KEYS[1], 660)
local sums = {dead = 0, others = 0}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local at, kind = string.match(fields[i], '^(%d+):(%a+)$')
  if tonumber(at) > minute - 10 and tonumber(at) <= minute then
    sums[kind] = sums[kind] + tonumber(fields[i + 1])
  else
    redis.call('HDEL', KEYS[1], fields[i])
  end
end
return {sums.dead, sums.others}
