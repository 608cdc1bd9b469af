#!lua flags=allow-oom
-- Find the destinations of one partition that have work, no owner and no recent nudge.
-- KEYS  for each destination: lease, ready, armed, later, aside
-- ARGV  lease in ms, nudge again after ms, armed for ms
-- Returns {positions of the destinations to nudge for live messages, of those to nudge for anything else}.
-- A lease that would outlive twice its time was set before the server's clock went back: it goes.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local live, others = {}, {}
for i = 1, #KEYS, 5 do
  local lease, ready, aside = KEYS[i], KEYS[i + 1], KEYS[i + 4]
  local armed, found
  for _, line in ipairs(redis.call('ZRANGE', ready, 0, 63)) do
    armed, found = KEYS[i + 3], others
    if not string.find(line, '~', 1, true) then
      armed, found = KEYS[i + 2], live
      break
    end
  end
  if not found then
    local first = redis.call('ZRANGE', aside, 0, 0, 'WITHSCORES')
    if #first > 0 and tonumber(first[2]) <= now then armed, found = KEYS[i + 3], others end
  end
  if found then
    if redis.call('PTTL', lease) > 2 * tonumber(ARGV[1]) then redis.call('DEL', lease) end
    if redis.call('EXISTS', lease) == 0 then
      local nudged = tonumber(redis.call('GET', armed) or 0)
      if math.abs(now - nudged) >= tonumber(ARGV[2]) then
        redis.call('SET', armed, now, 'PX', ARGV[3])
        found[#found + 1] = (i + 4) / 5
      end
    end
  end
end
return {live, others}
