#!lua flags=allow-oom
-- Write down what became of a batch, all of it or (when the lease is lost) nothing.
-- KEYS  lease, log, backoff, count, left, dead, ready
-- ARGV  token, lease in ms, destination, source, delivered, filtered, pause in ms (0: none), attempts, reason,
--       number of finished entries, their ids, number of unfinished entries, pairs: id, message numbers left,
--       dead letters
-- The source goes to the end of the ready list, so that a busy one does not starve the others.
-- Returns 1, or 0 when the token is no longer the one in force.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local group, source, delivered, filtered = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local pause, attempts, reason = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local at = 10
local finished = tonumber(ARGV[at])
for from = at + 1, at + finished, 1000 do
  local to = math.min(from + 999, at + finished)
  redis.call('XACK', KEYS[2], group, unpack(ARGV, from, to))
  redis.call('HDEL', KEYS[5], unpack(ARGV, from, to))
end
at = at + finished + 1
local unfinished = tonumber(ARGV[at])
for i = at + 1, at + 2 * unfinished, 2 do redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1]) end
at = at + 2 * unfinished + 1
local buried = #ARGV - at + 1
for i = at, #ARGV do redis.call('XADD', KEYS[6], '*', 'letter', ARGV[i]) end

if delivered > 0 then redis.call('HINCRBY', KEYS[4], 'delivered:' .. group, delivered) end
if filtered > 0 then redis.call('HINCRBY', KEYS[4], 'filtered:' .. group, filtered) end
if buried > 0 then redis.call('HINCRBY', KEYS[4], 'dead:' .. group, buried) end
redis.call('ZADD', KEYS[7], 'XX', now, source)
if pause > 0 then
  redis.call('HSET', KEYS[3], 'until', now + pause, 'attempts', attempts, 'reason', reason)
elseif attempts == 0 then
  redis.call('DEL', KEYS[3])
end
return 1
