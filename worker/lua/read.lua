#!lua flags=allow-oom
-- Read entries for a group, as long as the lease is ours: whoever lost it must not make anything pending any more,
-- because the next owner has looked there already.
-- KEYS  lease, log      ARGV  token, group, consumer, after which id, at most
-- Returns what XREADGROUP returns; nothing when the lease is lost, or there is no stream (any more).
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 0 then return false end
return redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[5], 'STREAMS', KEYS[2], ARGV[4])
