#!lua flags=allow-oom
-- Drop the entries that every group has finished with. Never passes a group, nor runs while an expected one is missing.
-- KEYS  log, then detached for each destination      ARGV  source, destinations that must have a group or be detached
-- Returns the number of entries dropped, or -1 when a group is missing.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local present, floor_ms, floor_seq = {}, nil, nil
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local fields = {}
  for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
  present[fields['name']] = true
  local id = fields['last-delivered-id']
  local step = 1
  if fields['pending'] > 0 then
    id = redis.call('XPENDING', KEYS[1], fields['name'])[2]
    step = 0
  end
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  ms, seq = tonumber(ms), tonumber(seq) + step
  if not floor_ms or ms < floor_ms or (ms == floor_ms and seq < floor_seq) then
    floor_ms, floor_seq = ms, seq
  end
end
for d = 2, #ARGV do
  if not present[ARGV[d]] and redis.call('HEXISTS', KEYS[d], ARGV[1]) == 0 then return -1 end
end
if not floor_ms then return 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-%.0f', floor_ms, floor_seq))
