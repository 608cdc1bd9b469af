#!lua flags=allow-oom
-- Write down what became of a batch, all of it or (when the lease is lost) nothing.
-- KEYS  lease, log, left, ready, dead, aside, apart, row, hand, story
--       (log and left mean nothing when the batch came from the lanes)
-- ARGV  token, lease in ms, group, line (`~`: the lanes), beginning of a lane's key, failures in a row,
--       1 when the line stays under suspicion of killing workers, else 0, then lists, each after its length:
--       ids of finished entries; pairs of an unfinished entry and the numbers left of it; triples of a key, a field
--       and what to add to it; triples of a lane, the wait in ms (-1: behind what is there) and a message that
--       steps aside; rewritten lanes: name, messages taken, wait in ms, how many go back, these; dead letters; passages
-- The line goes to the end of the ready list, so that a busy one does not starve the others.
-- Returns how many messages are aside now, or -1 when the token is no longer the one in force.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local group, line, prefix = ARGV[3], ARGV[4], ARGV[5]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local at = 8
local function length()
  at = at + 1
  return tonumber(ARGV[at - 1])
end
local function take()
  at = at + 1
  return ARGV[at - 1]
end

local finished = length()
for from = at, at + finished - 1, 1000 do
  local to = math.min(from + 999, at + finished - 1)
  redis.call('XACK', KEYS[2], group, unpack(ARGV, from, to))
  redis.call('HDEL', KEYS[3], unpack(ARGV, from, to))
end
at = at + finished
for _ = 1, length() do redis.call('HSET', KEYS[3], take(), take()) end
for _ = 1, length() do redis.call('HINCRBY', take(), take(), take()) end

local more = 0
for _ = 1, length() do
  local lane, wait, record = take(), tonumber(take()), take()
  redis.call('RPUSH', prefix .. lane, record)
  if wait < 0 then
    redis.call('ZADD', KEYS[6], 'NX', now, lane)
  else
    redis.call('ZADD', KEYS[6], now + wait, lane)
  end
  more = more + 1
end
for _ = 1, length() do
  local lane, taken, wait, back = take(), tonumber(take()), tonumber(take()), tonumber(take())
  redis.call('LTRIM', prefix .. lane, taken, -1)
  for i = at + back - 1, at, -1 do redis.call('LPUSH', prefix .. lane, ARGV[i]) end
  at = at + back
  more = more + back - taken
  if redis.call('EXISTS', prefix .. lane) == 1 then
    redis.call('ZADD', KEYS[6], now + wait, lane)
  else
    redis.call('ZREM', KEYS[6], lane)
  end
end

for _ = 1, length() do redis.call('XADD', KEYS[5], '*', 'letter', take()) end
for _ = 1, length() do redis.call('XADD', KEYS[10], 'MAXLEN', '~', 100000, '*', 's', take()) end

if ARGV[6] == '0' then redis.call('DEL', KEYS[8]) else redis.call('SET', KEYS[8], ARGV[6]) end
if ARGV[7] == '0' then
  redis.call('HDEL', KEYS[9], line, 'at:' .. line, 'times:' .. line)
else
  redis.call('HDEL', KEYS[9], 'at:' .. line, 'times:' .. line)
end
redis.call('ZADD', KEYS[4], 'XX', now, line)
if more == 0 then return tonumber(redis.call('GET', KEYS[7]) or 0) end
local aside = redis.call('INCRBY', KEYS[7], more)
if aside <= 0 then redis.call('DEL', KEYS[7]) end
return aside
