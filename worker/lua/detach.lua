#!lua flags=allow-oom
-- Let a stream go on without the group of one destination. What the group was given and has not finished is written
-- down, and where it stood: from there it catches up out of the archive.
-- KEYS  lease, log, detached, left, ready      ARGV  token, destination, source
-- Returns 1, or 0 when the lease is lost or there is no such group.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
local stood = nil
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local fields = {}
  for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
  if fields['name'] == ARGV[2] then stood = fields['last-delivered-id'] end
end
if not stood then return 0 end
local left, after = {}, '-'
repeat
  local rows = redis.call('XPENDING', KEYS[2], ARGV[2], after, '+', 1000)
  for _, row in ipairs(rows) do
    left[#left + 1] = row[1] .. '/' .. (redis.call('HGET', KEYS[4], row[1]) or '*')
    after = '(' .. row[1]
  end
until #rows < 1000
redis.call('HSET', KEYS[3], ARGV[3], table.concat({stood, unpack(left)}, ' '))
redis.call('XGROUP', 'DESTROY', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[4])
redis.call('ZREM', KEYS[5], ARGV[3])
return 1
