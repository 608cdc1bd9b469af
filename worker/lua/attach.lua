#!lua flags=allow-oom
-- Make sure that a source's stream has a group for each of its destinations; a new one starts at the end.
-- One that was detached gets its group when it has caught up. One that had a group and has none was lost: it starts
-- where the stream does, which may repeat messages and loses none that are still there.
-- KEYS  log, count, then detached for each destination      ARGV  source, destination names
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
for d = 2, #ARGV do
  local name = ARGV[d]
  if not known[name] and redis.call('HEXISTS', KEYS[d + 1], ARGV[1]) == 0 then
    local lost = redis.call('HEXISTS', KEYS[2], 'delivered:' .. name) == 1
    redis.call('XGROUP', 'CREATE', KEYS[1], name, lost and '0' or '$')
    if not lost then
      redis.call('HSET', KEYS[2], 'base:' .. name, redis.call('HGET', KEYS[2], 'received') or 0)
      redis.call('HSET', KEYS[2], 'since:' .. name, string.match(last, '^%d+'))
    end
    new[#new + 1] = name
  end
end
return new
