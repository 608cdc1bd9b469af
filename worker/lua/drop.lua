#!lua flags=allow-oom
-- Take a line away, with what still waits in it; nothing can be appended to it afterwards.
-- What a courier has in hand right now is left to it, and then the line stays until somebody asks again.
-- KEYS  log, lines, ready, count, cursor, left, lease      ARGV  line, destination, a cursor beyond all others
-- Returns {messages that were dropped, entries that are still in a courier's hand}. `base` keeps the accounts balanced.
redis.call('HSET', KEYS[5], 'at', ARGV[3])
local dropped, read = 0, '-'
local hand = {}
local function drop(entries)
  for _, entry in ipairs(entries) do
    local left = redis.call('HGET', KEYS[6], entry[1])
    for i = 1, #entry[2], 2 do
      if entry[2][i] == 'n' and not left then dropped = dropped + tonumber(entry[2][i + 1]) end
    end
    if left then dropped = dropped + select(2, string.gsub(left, ',', ',')) + 1 end
    redis.call('XDEL', KEYS[1], entry[1])
  end
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    if fields['name'] == ARGV[2] then
      read = '(' .. fields['last-delivered-id']
      if fields['pending'] > 0 then
        hand = redis.call('XPENDING', KEYS[1], ARGV[2], '-', '+', fields['pending'])
      end
    end
  end
  drop(redis.call('XRANGE', KEYS[1], read, '+'))
  if redis.call('EXISTS', KEYS[7]) == 0 then
    for _, pending in ipairs(hand) do drop(redis.call('XRANGE', KEYS[1], pending[1], pending[1])) end
    hand = {}
  end
end
if dropped > 0 then redis.call('HINCRBY', KEYS[4], 'base:' .. ARGV[2], dropped) end
if #hand == 0 then
  redis.call('DEL', KEYS[1], KEYS[6])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('SREM', KEYS[2], ARGV[1])
end
return {dropped, #hand}
