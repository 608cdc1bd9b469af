#!lua flags=allow-oom
-- Take the lease of one destination in one partition, unless somebody holds it or the destination is backing off.
-- KEYS  lease, fence, armed, backoff      ARGV  owner, lease in ms
-- Returns {token, attempts so far}, {"held"} or {"paused"}
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if redis.call('EXISTS', KEYS[1]) == 1 then return {'held'} end
local until_ms = tonumber(redis.call('HGET', KEYS[4], 'until') or 0)
if until_ms > now then return {'paused'} end
redis.call('DEL', KEYS[3])
local token = redis.call('INCR', KEYS[2]) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
return {token, redis.call('HGET', KEYS[4], 'attempts') or '0'}
