-- Does what `insert.lua` does, in the words of older servers and relatives: without `GT`.
--
-- KEYS[1]  the sessions of a subject
-- ARGV     session, its bytes, fewer than how many, for how long it lives (milliseconds)
-- Returns  how many there are now, when it is stored; 0 when nothing was changed.
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored then
  if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then
    return 0
  end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
elseif stored ~= ARGV[2] then
  return 0
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return redis.call('HLEN', KEYS[1])
