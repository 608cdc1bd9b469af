#!lua flags=allow-oom
-- Read entries for a group, as long as the lease is ours: whoever lost it must not make anything pending any more,
-- because the next owner has looked there already.
-- KEYS  lease, log, hand      ARGV  token, group, consumer, after which id, at most, line
-- Returns {earlier reads of the line that no commit followed, what XREADGROUP returns}; nothing when the lease is
-- lost, or there is no stream (any more), or nothing to read. A commit, or nothing being pending, ends the count.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 0 then return false end
local answer = redis.pcall('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[5], 'STREAMS', KEYS[2], ARGV[4])
if answer and answer['err'] then
  if string.find(answer['err'], 'NOGROUP') then return false end    -- the destination is detached from this line
  return answer
end
if answer and #answer[1][2] > 0 then
  if ARGV[4] ~= '>' then return {redis.call('HINCRBY', KEYS[3], ARGV[6], 1) - 1, answer} end
  redis.call('HSETNX', KEYS[3], ARGV[6], 1)
  return {0, answer}
end
if ARGV[4] ~= '>' then redis.call('HDEL', KEYS[3], ARGV[6], 'at:' .. ARGV[6], 'times:' .. ARGV[6]) end
return false
