-- Changes several sessions of a subject at once, if all of them are still what the caller has read.
--
-- KEYS[1]  the sessions of a subject
-- ARGV     until when the last of them lives (milliseconds since 1970), how many were read, each of
--          those (session, bytes), and then each change (session, new bytes, or none to remove it)
-- Returns  1 when the changes were made, 0 when something else is stored.
local read = tonumber(ARGV[2])
if redis.call('HLEN', KEYS[1]) ~= read then
  return 0
end
local changes = 3 + 2 * read
for at = 3, changes - 1, 2 do
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
