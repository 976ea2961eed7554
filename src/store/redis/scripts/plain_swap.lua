-- Does what `swap.lua` does, in the words of older servers and relatives: without `GT` and `TIME`.
--
-- KEYS[1]  the sessions of a subject
-- ARGV     session, its bytes as read, its new bytes, and, only where the session now lives longer,
--          for how long (milliseconds)
-- Returns  1 when the new bytes are stored, else 0.
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
elseif stored ~= ARGV[3] then
  return 0
end
-- Counted from now, so that it is never in the past: the server would remove all sessions.
if ARGV[4] and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
