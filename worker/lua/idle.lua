#!lua flags=allow-oom
-- Take a source off the ready list, but only when its group has seen everything and holds nothing.
-- KEYS  lease, log, ready      ARGV  token, destination, source
-- Returns 1 when it was taken off, 0 when there is work after all, -1 when the lease is lost.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[3], ARGV[3])
  return 1
end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local fields = {}
  for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
  if fields['name'] == ARGV[2] then
    local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
    if fields['pending'] == 0 and (#last == 0 or last[1][1] == fields['last-delivered-id']) then
      redis.call('ZREM', KEYS[3], ARGV[3])
      return 1
    end
    return 0
  end
end
redis.call('ZREM', KEYS[3], ARGV[3])         -- no group: the destination is detached from this line
return 1
