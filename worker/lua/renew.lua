#!lua flags=allow-oom
-- KEYS  lease      ARGV  token, lease in ms      Returns 1 while the lease is still ours.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
