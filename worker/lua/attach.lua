#!lua flags=allow-oom
-- Make sure that a source's stream has a group for each of its destinations; a new one starts at the end.
-- KEYS  log, count      ARGV  destination names
-- Returns the names that are new. `base` remembers how much had been received before a destination came, `since`
-- when (ms) the last entry came that is not meant for it.
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local known, new, last = {}, {}, '0'
local about = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #about, 2 do
  if about[i] == 'last-generated-id' then last = about[i + 1] end
end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  for i = 1, #group, 2 do
    if group[i] == 'name' then known[group[i + 1]] = true end
  end
end
for _, name in ipairs(ARGV) do
  if not known[name] then
    redis.call('XGROUP', 'CREATE', KEYS[1], name, '$')
    redis.call('HSET', KEYS[2], 'base:' .. name, redis.call('HGET', KEYS[2], 'received') or 0)
    redis.call('HSET', KEYS[2], 'since:' .. name, string.match(last, '^%d+'))
    new[#new + 1] = name
  end
end
return new
