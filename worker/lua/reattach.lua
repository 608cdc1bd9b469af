#!lua flags=allow-oom
-- Give a destination its group again, at the entry up to which it has caught up; its catch-up line ends.
-- KEYS  log, detached, ready, the line's log, lines, cursor      ARGV  destination, source, line, entry, messages of it
-- Only when everything in the line is finished with, and the whole entry has been through it.
-- Returns 1, or 0 when it is too early.
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return 0 end
if redis.call('EXISTS', KEYS[4]) == 1 then
  local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[4])) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    if fields['pending'] > 0 then return 0 end
    if #last > 0 and last[1][1] ~= fields['last-delivered-id'] then return 0 end
  end
end
local entry = redis.call('XRANGE', KEYS[1], ARGV[4], ARGV[4])
if #entry > 0 then
  local fields = entry[1][2]
  for i = 1, #fields, 2 do
    if fields[i] == 'n' and tonumber(fields[i + 1]) > tonumber(ARGV[5]) then return 0 end
  end
end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  for i = 1, #group, 2 do
    if group[i] == 'name' and group[i + 1] == ARGV[1] then return 0 end
  end
end
redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[4])
redis.call('XGROUP', 'DESTROY', KEYS[1], ARGV[1] .. '~pin')
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[4], KEYS[6])
redis.call('SREM', KEYS[5], ARGV[3])
redis.call('ZREM', KEYS[3], ARGV[3])
local clock = redis.call('TIME')
redis.call('ZADD', KEYS[3], 'NX', clock[1] * 1000 + math.floor(clock[2] / 1000), ARGV[2])
return 1
