-- Adds one session, if there are fewer than so many, those that are over included.
--
-- KEYS[1]  the sessions of a subject
-- ARGV     session, its bytes, fewer than how many, until when it lives (milliseconds since 1970)
-- Returns  how many there are now, when it is stored by this call or by an earlier one whose reply
--          was lost; 0 when nothing was changed.
local stored = redis.call('HGET', KEYS[1], ARGV[1])
local count = redis.call('HLEN', KEYS[1])
if not stored then
  if count >= tonumber(ARGV[3]) then
    return 0
  end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
elseif stored ~= ARGV[2] then
  return 0
end
if count == 0 then
  -- To `GT`, what has no end yet lives for ever.
  redis.call('PEXPIREAT', KEYS[1], ARGV[4])
else
  redis.call('PEXPIREAT', KEYS[1], ARGV[4], 'GT')
end
return redis.call('HLEN', KEYS[1])
