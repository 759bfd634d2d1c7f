-- model.create makes a record unless there is one.
-- KEYS[1]  the record
-- ARGV[1]  its time to live in milliseconds, "" for none
-- ARGV[2…] its fields: name, text, …
-- Returns 1, or 0 when the record exists.
if redis.call("EXISTS", KEYS[1]) == 1 then
  return 0
end
redis.call("HSET", KEYS[1], unpack(ARGV, 2))
if ARGV[1] ~= "" then
  redis.call("PEXPIRE", KEYS[1], ARGV[1])
end
return 1
