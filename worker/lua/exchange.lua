#!lua flags=allow-oom
-- Put a copy in the place of a stream, with what came and what went since it was copied, and with all of its groups:
-- what each was given, has not finished, and is to be given next stays as it was.
-- KEYS  stream, copy, turns      ARGV  last id that was copied, turns when the copying began, most entries still to copy
-- Returns 1; -1 when more came than that; -2 when somebody else exchanged it meanwhile; 0 when it is no longer there.
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[2] then
  redis.call('DEL', KEYS[2])
  return -2
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
  return 0
end
local tail = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', tonumber(ARGV[3]) + 1)
if #tail > tonumber(ARGV[3]) then return -1 end
for _, entry in ipairs(tail) do redis.call('XADD', KEYS[2], entry[1], unpack(entry[2])) end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
if #first == 0 then
  redis.call('XTRIM', KEYS[2], 'MAXLEN', 0)
else
  redis.call('XTRIM', KEYS[2], 'MINID', first[1][1])
end
if redis.call('XLEN', KEYS[1]) ~= redis.call('XLEN', KEYS[2]) then      -- something was taken out of its middle
  redis.call('DEL', KEYS[2])
  return -2
end

local about = {}
local flat = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #flat, 2 do about[flat[i]] = flat[i + 1] end
redis.call('XSETID', KEYS[2], about['last-generated-id'], 'ENTRIESADDED', about['entries-added'],
           'MAXDELETEDID', about['max-deleted-entry-id'])

for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local of = {}
  for i = 1, #group, 2 do of[group[i]] = group[i + 1] end
  local name = of['name']
  if of['entries-read'] then
    redis.call('XGROUP', 'CREATE', KEYS[2], name, of['last-delivered-id'], 'ENTRIESREAD', of['entries-read'])
  else
    redis.call('XGROUP', 'CREATE', KEYS[2], name, of['last-delivered-id'])
  end
  local after = '-'
  repeat
    local rows = redis.call('XPENDING', KEYS[1], name, after, '+', 500)
    for _, row in ipairs(rows) do
      redis.call('XCLAIM', KEYS[2], name, row[2], 0, row[1], 'IDLE', row[3], 'RETRYCOUNT', row[4], 'FORCE', 'JUSTID')
      after = '(' .. row[1]
    end
  until #rows < 500
end
redis.call('PERSIST', KEYS[2])
redis.call('RENAME', KEYS[2], KEYS[1])
redis.call('INCR', KEYS[3])
redis.call('PEXPIRE', KEYS[3], 86400000)
return 1
