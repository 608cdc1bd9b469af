#!lua
-- Append messages to a line that leads to one destination, each once however often this is called.
-- Messages have cursors: texts of one width that rise. What is not beyond the last cursor is there already.
-- Refused whole at maxmemory.
-- KEYS  log, lines, ready, later, count, cursor
-- ARGV  line, destination, armed for ms, field to count the messages in or '', width of a cursor,
--       the cursors of all messages in one string, the line that they come from or '',
--       then triples: number of messages, their bodies, one a line, and their positions in that line, a blank between
-- Returns {appended, 1 when the destination wants a nudge}
local line, destination, width, cursors = ARGV[1], ARGV[2], tonumber(ARGV[5]), ARGV[6]
local total = #cursors / width
local reached = redis.call('HGET', KEYS[6], 'at') or ''
local skip = 0
while skip < total and string.sub(cursors, skip * width + 1, (skip + 1) * width) <= reached do skip = skip + 1 end
if skip == total then return {0, 0} end

if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[1], destination, '0', 'MKSTREAM')
  redis.call('SADD', KEYS[2], line)
end

local number = 0
local function beyond(text, pattern, separator)
  local kept, i = {}, number
  for part in string.gmatch(text, pattern) do
    i = i + 1
    if i > skip then kept[#kept + 1] = part end
  end
  return table.concat(kept, separator), #kept
end

for a = 8, #ARGV, 3 do
  local size, bodies, origins = tonumber(ARGV[a]), ARGV[a + 1], ARGV[a + 2]
  local left = size
  if number < skip then
    origins = beyond(origins, '[^ ]+', ' ')
    bodies, left = beyond(bodies, '[^\n]+', '\n')
  end
  number = number + size
  if left > 0 and ARGV[7] == '' then
    redis.call('XADD', KEYS[1], '*', 'n', left, 'm', bodies)
  elseif left > 0 then
    redis.call('XADD', KEYS[1], '*', 'n', left, 'm', bodies, 'l', ARGV[7], 'o', origins)
  end
end

redis.call('HSET', KEYS[6], 'at', string.sub(cursors, -width))
if ARGV[4] ~= '' then redis.call('HINCRBY', KEYS[5], ARGV[4], total - skip) end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- Where the line is marked ready, somebody has it in hand, or is about to: a nudge for each call would flood RQ.
local marked = redis.call('ZADD', KEYS[3], 'NX', now, line) == 1
local wants = marked and redis.call('SET', KEYS[4], now, 'NX', 'PX', ARGV[3])
return {total - skip, wants and 1 or 0}
