#!lua flags=allow-oom
-- Find the destinations of one partition that have work, no owner and no recent nudge.
-- KEYS  for each destination: lease, ready, armed, backoff      ARGV  lease in ms, nudge again after ms, armed for ms
-- Returns the positions of the destinations to nudge.
-- A lease that would outlive twice its time was set before the server's clock went back: it goes.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local found = {}
for i = 1, #KEYS, 4 do
  local lease, ready, armed, backoff = KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3]
  if redis.call('ZCARD', ready) > 0 then
    if redis.call('PTTL', lease) > 2 * tonumber(ARGV[1]) then redis.call('DEL', lease) end
    local until_ms = tonumber(redis.call('HGET', backoff, 'until') or 0)
    if redis.call('EXISTS', lease) == 0 and until_ms <= now then
      local nudged = tonumber(redis.call('GET', armed) or 0)
      if math.abs(now - nudged) >= tonumber(ARGV[2]) then
        redis.call('SET', armed, now, 'PX', ARGV[3])
        found[#found + 1] = (i + 3) / 4
      end
    end
  end
end
return found
