#!lua flags=allow-oom
-- Take the first messages of the retry lanes that are due; they stay where they are until a commit.
-- KEYS  lease, aside, hand      ARGV  token, beginning of a lane's key, most lanes, most messages
-- Returns {earlier looks that no commit followed, lane, {its messages}, lane, {its messages}...}; nothing when the
-- lease is lost or no lane is due.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[3])
local found, left = {0}, tonumber(ARGV[4])
for _, lane in ipairs(due) do
  if left <= 0 then break end
  local records = redis.call('LRANGE', ARGV[2] .. lane, 0, left - 1)
  if #records == 0 then
    redis.call('ZREM', KEYS[2], lane)
  else
    found[#found + 1] = lane
    found[#found + 1] = records
    left = left - #records
  end
end
if #found == 1 then
  redis.call('HDEL', KEYS[3], '~', 'at:~', 'times:~')
  return false
end
found[1] = redis.call('HINCRBY', KEYS[3], '~', 1) - 1
return found
