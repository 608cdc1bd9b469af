#!lua
-- Copy some entries of a stream to another, under the same ids; some of them with other messages. Refused at maxmemory.
-- KEYS  stream, copy      ARGV  first id, last id, keep the copy for ms, then pairs: id, its messages
-- Returns how many were copied.
local other = {}
for i = 4, #ARGV, 2 do other[ARGV[i]] = ARGV[i + 1] end
local entries = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[2])
for _, entry in ipairs(entries) do
  local id, fields = entry[1], entry[2]
  if other[id] then
    for i = 1, #fields, 2 do
      if fields[i] == 'm' then fields[i + 1] = other[id] end
    end
  end
  redis.call('XADD', KEYS[2], id, unpack(fields))
end
if #entries > 0 then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return #entries
