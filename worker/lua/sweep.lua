#!lua flags=allow-oom
-- Find the destinations of one partition that have work, no owner and no recent nudge.
-- KEYS  for each destination: lease, ready, armed, aside      ARGV  lease in ms, nudge again after ms, armed for ms
-- Returns the positions of the destinations to nudge.
-- A lease that would outlive twice its time was set before the server's clock went back: it goes.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local found = {}
for i = 1, #KEYS, 4 do
  local lease, ready, armed, aside = KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3]
  local due = redis.call('ZCARD', ready) > 0
  if not due then
    local first = redis.call('ZRANGE', aside, 0, 0, 'WITHSCORES')
    due = #first > 0 and tonumber(first[2]) <= now
  end
  if due then
    if redis.call('PTTL', lease) > 2 * tonumber(ARGV[1]) then redis.call('DEL', lease) end
    if redis.call('EXISTS', lease) == 0 then
      local nudged = tonumber(redis.call('GET', armed) or 0)
      if math.abs(now - nudged) >= tonumber(ARGV[2]) then
        redis.call('SET', armed, now, 'PX', ARGV[3])
        found[#found + 1] = (i + 3) / 4
      end
    end
  end
end
return found
