#!lua flags=allow-oom
-- The destination works again. What a person has paused meanwhile stays paused.      KEYS  out
if redis.call('HGET', KEYS[1], 'scope') == 'operator' then return 0 end
return redis.call('DEL', KEYS[1])
