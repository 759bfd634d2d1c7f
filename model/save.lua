-- model.save writes a whole record, whether or not there is one.
-- KEYS[1]  the record
-- ARGV[1]  its time to live in milliseconds, "" to leave it as it is
-- ARGV[2]  name of its version field, "" if it has none
-- ARGV[3]  the version it was loaded with
-- ARGV[4]  number of fields that are set
-- ARGV[5…] name, text of each; then the names of those that are absent
-- Returns 1; or, when the stored version is another, that version as a text:
-- "0" for a record without one, "" if there is no record.
local key, ttl, version, loaded, set = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if version ~= "" then
  local stored = redis.call("HGET", key, version)
  if (stored or "0") ~= loaded then
    return stored or redis.call("EXISTS", key) == 1 and "0" or ""
  end
end
-- First what is set: a hash that loses its last field is gone, and with it its
-- time to live.
local last = 4 + 2 * set
redis.call("HSET", key, unpack(ARGV, 5, last))
if #ARGV > last then
  redis.call("HDEL", key, unpack(ARGV, last + 1))
end
if ttl ~= "" then
  redis.call("PEXPIRE", key, ttl)
end
return 1
