-- Replaces one session as a whole, if it is still what the caller has read.
--
-- KEYS[1]  the sessions of a subject
-- ARGV     session, its bytes as read, its new bytes, and, only where the session now lives longer,
--          until when (milliseconds since 1970)
-- Returns  1 when the new bytes are stored, by this call or by an earlier one whose reply was lost;
--          else what is stored (or nil), and the time.
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored == ARGV[2] then
  -- Before any other write: a server whose memory is full refuses a script's first one only.
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
elseif stored ~= ARGV[3] then
  return {stored, redis.call('TIME')}
end
if ARGV[4] then
  redis.call('PEXPIREAT', KEYS[1], ARGV[4], 'GT')
end
return 1
