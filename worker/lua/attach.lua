#!lua flags=allow-oom
-- Make sure that a source's stream has a group for each of its destinations; a new one starts at the end.
-- KEYS  log, count      ARGV  destination names
-- Returns the names that are new. `base` remembers how much had been received before a destination came.
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local known, new = {}, {}
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  for i = 1, #group, 2 do
    if group[i] == 'name' then known[group[i + 1]] = true end
  end
end
for _, name in ipairs(ARGV) do
  if not known[name] then
    redis.call('XGROUP', 'CREATE', KEYS[1], name, '$')
    redis.call('HSET', KEYS[2], 'base:' .. name, redis.call('HGET', KEYS[2], 'received') or 0)
    new[#new + 1] = name
  end
end
return new
