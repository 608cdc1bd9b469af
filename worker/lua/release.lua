#!lua flags=allow-oom
-- Give the lease back. Without 'force' only when no source is due, so that no wake-up falls between two looks.
-- KEYS  lease, ready, armed, backoff      ARGV  token, 'force' or ''
-- Returns 'idle' or 'more' (released; 'more': work is due), 'kept' (not released: work is due), 'lost'
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local until_ms = tonumber(redis.call('HGET', KEYS[4], 'until') or 0)
local due = until_ms <= now and redis.call('ZCARD', KEYS[2]) > 0
if due and ARGV[2] ~= 'force' then return 'kept' end
redis.call('DEL', KEYS[1], KEYS[3])
return due and 'more' or 'idle'
