#!lua flags=allow-oom
-- Give the lease back, so that no wake-up falls between two looks.
-- KEYS  lease, ready, armed, later, aside
-- ARGV  token, when: 'idle' (only when no line and no lane is due), 'later' (only when no live line is due), 'anyway'
-- Returns 'lost', 'kept' (not released), or what is due after the release: 'more' (live messages), 'later', 'idle'
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = 'idle'
for _, line in ipairs(redis.call('ZRANGE', KEYS[2], 0, 63)) do
  due = 'later'
  if not string.find(line, '~', 1, true) then
    due = 'more'
    break
  end
end
if due == 'idle' then
  local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  if #first > 0 and tonumber(first[2]) <= now then due = 'later' end
end
if ARGV[2] == 'idle' and due ~= 'idle' or ARGV[2] == 'later' and due == 'more' then return 'kept' end
redis.call('DEL', KEYS[1], KEYS[3], KEYS[4])
return due
