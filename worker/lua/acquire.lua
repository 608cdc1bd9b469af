#!lua flags=allow-oom
-- Take the lease of one destination in one partition, unless somebody holds it.
-- KEYS  lease, fence, armed, later, apart, row, forgotten      ARGV  owner, lease in ms
-- Returns {token, messages aside, failures in a row, which state of who is forgotten holds}, or {"held"}
if redis.call('EXISTS', KEYS[1]) == 1 then return {'held'} end
redis.call('DEL', KEYS[3], KEYS[4])
local token = redis.call('INCR', KEYS[2]) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
return {token, redis.call('GET', KEYS[5]) or '0', redis.call('GET', KEYS[6]) or '0', redis.call('GET', KEYS[7]) or ''}
