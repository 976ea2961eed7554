-- Changes several sessions of a subject at once, if those that the caller names are still what it has
-- read, and as many are there.
--
-- KEYS[1]  the sessions of a subject
-- ARGV     until when the last of them lives (milliseconds since 1970), how many there are, how many
--          the caller names, each of those (session, bytes), and then each change (session, new
--          bytes, or none to remove it)
-- Returns  1 when the changes were made, 0 when something else is stored.
if redis.call('HLEN', KEYS[1]) ~= tonumber(ARGV[2]) then
  return 0
end
local changes = 4 + 2 * tonumber(ARGV[3])
for at = 4, changes - 1, 2 do
  if redis.call('HGET', KEYS[1], ARGV[at]) ~= ARGV[at + 1] then
    return 0
  end
end
for at = changes, #ARGV, 2 do
  if ARGV[at + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[at])
  else
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  end
end
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
return 1
