#!lua flags=allow-oom
-- Write down that a destination is out, or is kept from receiving.
-- KEYS  out      ARGV  attempts known to the caller, 'probing' or '', pause in ms, reason, scope, settings
-- Who knew the number of attempts counts one more; others failed at the same time, and can only make it stricter.
-- Nobody but a person lifts what a person has said.
-- Returns the number of attempts in force.
local RANK = {settings = 2, toll = 3, operator = 4}
local out, known, probing, scope, settings = KEYS[1], tonumber(ARGV[1]), ARGV[2] ~= '', ARGV[5], ARGV[6]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local rank = RANK[scope] or 1
local paused_until = rank == 1 and now + tonumber(ARGV[3]) or 0

local stored = redis.call('HMGET', out, 'until', 'attempts', 'scope', 'settings')
local attempts = tonumber(stored[2] or 0)
local old_rank = stored[3] and (RANK[stored[3]] or 1) or 0
local in_turn = old_rank == 0 or (probing and known == attempts)

if old_rank == 4 and rank < 4 then return attempts end
if not in_turn and rank < old_rank then return attempts end
if not in_turn and rank == 1 and old_rank == 1 then
  if tonumber(stored[1]) < paused_until then redis.call('HSET', out, 'until', paused_until, 'told', now) end
  return attempts
end

if in_turn and rank < 3 then attempts = attempts + 1 end
if rank == 2 and stored[3] == 'settings' and stored[4] ~= settings then
  settings = string.sub(settings .. ' ' .. stored[4], 1, 80)    -- all that were tried in vain, the newest first
end
redis.call('HSETNX', out, 'since', now)
redis.call('HSET', out, 'until', paused_until, 'told', now, 'attempts', attempts, 'reason', ARGV[4], 'scope', scope,
           'settings', rank > 1 and rank < 4 and settings or '')
redis.call('HDEL', out, 'probing')
return attempts
