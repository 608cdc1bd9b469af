#!lua
-- Append an entry without messages, which every destination of the source finishes at once when it comes to it.
-- KEYS  log, then ready for each destination      ARGV  source, destination names
-- Returns when (ms) it was sent.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if redis.call('EXISTS', KEYS[1]) == 0 then
  for d = 2, #ARGV do redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[d], '0', 'MKSTREAM') end
end
redis.call('XADD', KEYS[1], '*', 'n', 0, 'm', '', 'c', string.format('%.0f', now))
for d = 2, #ARGV do redis.call('ZADD', KEYS[d], 'NX', now, ARGV[1]) end
return now
