-- Changes several sessions of a subject at once, if those that the caller names are still what it has
-- read, and, where the caller says how many, as many are there.
--
-- KEYS[1]  the sessions of a subject
-- ARGV     until when the last of them lives (milliseconds since 1970), for how long (milliseconds, or
--          none where the server knows `GT`), how many there are (or none), how many the caller
--          names, each of those (session, bytes), and then each change (session, new bytes, or none
--          to remove it)
-- Returns  1 when the changes were made, 0 when something else is stored.
if ARGV[3] ~= '' and redis.call('HLEN', KEYS[1]) ~= tonumber(ARGV[3]) then
  return 0
end
local changes = 5 + 2 * tonumber(ARGV[4])
for at = 5, changes - 1, 2 do
  if redis.call('HGET', KEYS[1], ARGV[at]) ~= ARGV[at + 1] then
    return 0
  end
end
local names_all = ARGV[3] == ARGV[4]
if not names_all then
  -- Another may have been prolonged meanwhile. Before any change: a server without `GT` stops here.
  if ARGV[2] == '' then
    redis.call('PEXPIREAT', KEYS[1], ARGV[1], 'GT')
  elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  end
end
for at = changes, #ARGV, 2 do
  if ARGV[at + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[at])
  else
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  end
end
if names_all then
  redis.call('PEXPIREAT', KEYS[1], ARGV[1])
end
return 1
