#!lua
-- Append the messages of one flush that were not seen before, and mark the source ready. Refused whole at maxmemory.
-- KEYS  log, seen:new, seen:old, seen:since, count, then for each destination: ready, armed
-- ARGV  source, window in ms, most ids in one set, armed for ms, number of destinations D, D names,
--       the 16-byte digests of all messages in one string, then pairs: number of messages, their lines
-- Returns {appended, duplicates, position of each destination that wants a nudge...}
local log, new, old, since, count = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local source, window, most, armed_for = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local destinations = tonumber(ARGV[5])
local digests = ARGV[6 + destinations]
local first_pair = 7 + destinations

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

if redis.call('EXISTS', log) == 0 then
  for d = 1, destinations do
    redis.call('XGROUP', 'CREATE', log, ARGV[5 + d], '0', 'MKSTREAM')
  end
end

local started = tonumber(redis.call('HGET', since, 'new'))
if not started then
  redis.call('HSET', since, 'new', now)
else
  local full = redis.call('SCARD', new) >= most
  if full or now - started >= window then
    redis.call('UNLINK', old)
    if redis.call('EXISTS', new) == 1 then redis.call('RENAME', new, old) end
    redis.call('HSET', since, 'new', now, 'old', started, 'full', full and '1' or '0')
  end
end

local total = #digests / 16
local drop, dropped = {}, 0
local look_back = redis.call('EXISTS', old) == 1
for from = 1, total, 1000 do
  local to = math.min(from + 999, total)
  local ids = {}
  for i = from, to do ids[i - from + 1] = string.sub(digests, i * 16 - 15, i * 16) end
  local fresh = redis.call('SMISMEMBER', new, unpack(ids))
  local before = look_back and redis.call('SMISMEMBER', old, unpack(ids))
  local known = 0
  for i = 1, #ids do
    if fresh[i] == 1 or (before and before[i] == 1) then
      drop[from + i - 1] = true
      known = known + 1
    end
  end
  local added = 0
  if known == 0 then
    added = redis.call('SADD', new, unpack(ids))
  else
    for i = 1, #ids do
      if not drop[from + i - 1] then added = added + redis.call('SADD', new, ids[i]) end
    end
  end
  if added < #ids - known then                 -- one id twice in this slice: keep its first message
    local met = {}
    for i = 1, #ids do
      if not drop[from + i - 1] then
        if met[ids[i]] then drop[from + i - 1] = true; known = known + 1 end
        met[ids[i]] = true
      end
    end
  end
  dropped = dropped + known
end

local number = 0
for a = first_pair, #ARGV, 2 do
  local size, lines = tonumber(ARGV[a]), ARGV[a + 1]
  if dropped > 0 then
    local kept = {}
    local i = number
    for line in string.gmatch(lines, '[^\n]+') do
      i = i + 1
      if not drop[i] then kept[#kept + 1] = line end
    end
    number = number + size
    size, lines = #kept, table.concat(kept, '\n')
  end
  if size > 0 then redis.call('XADD', log, '*', 'n', size, 'm', lines) end
end

if dropped > 0 then redis.call('HINCRBY', count, 'duplicates', dropped) end
local result = {total - dropped, dropped}
if total > dropped then
  redis.call('HINCRBY', count, 'received', total - dropped)
  for d = 1, destinations do
    redis.call('ZADD', KEYS[4 + 2 * d], 'NX', now, source)
    if redis.call('SET', KEYS[5 + 2 * d], now, 'NX', 'PX', armed_for) then result[#result + 1] = d end
  end
end
return result
