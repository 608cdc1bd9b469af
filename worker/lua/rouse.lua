#!lua flags=allow-oom
-- Mark a source ready wherever a group has entries that it has not been given, or not finished.
-- An append marks only the destinations that its collector knows of; others may have a group too.
-- KEYS  log, then ready for each destination      ARGV  source, destination names
-- Returns how many marks were missing.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local behind = {}
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local fields = {}
  for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
  behind[fields['name']] = fields['pending'] > 0 or (#last > 0 and last[1][1] ~= fields['last-delivered-id'])
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local marked = 0
for d = 2, #ARGV do
  if behind[ARGV[d]] then marked = marked + redis.call('ZADD', KEYS[d], 'NX', now, ARGV[1]) end
end
return marked
