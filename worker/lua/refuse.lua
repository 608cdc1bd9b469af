#!lua
-- Keep what a client sent and was refused.   KEYS  refused, count      ARGV  one record each
for i = 1, #ARGV do redis.call('XADD', KEYS[1], '*', 'record', ARGV[i]) end
redis.call('HINCRBY', KEYS[2], 'refused', #ARGV)
return #ARGV
