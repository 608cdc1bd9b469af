#!lua flags=allow-oom
-- Write down which message alone is about to be tried, because one of its line has killed workers.
-- KEYS  lease, hand      ARGV  token, line (`~` for the lanes), the message
-- Returns how often it has been tried alone before without an end, or -1 when the lease is lost.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('HGET', KEYS[2], 'at:' .. ARGV[2]) ~= ARGV[3] then
  redis.call('HSET', KEYS[2], 'at:' .. ARGV[2], ARGV[3], 'times:' .. ARGV[2], 0)
end
return redis.call('HINCRBY', KEYS[2], 'times:' .. ARGV[2], 1) - 1
