-- model.pick reads some fields of a record, and tells a record that has none of
-- them from no record.
-- KEYS[1]   the record
-- ARGV[1…]  the fields
-- Returns their texts, or nothing when there is no record.
local M = {}

function M.pick(keys, argv)
  local texts = redis.call("HMGET", keys[1], unpack(argv))
  for i = 1, #argv do
    if texts[i] then
      return texts
    end
  end
  return redis.call("EXISTS", keys[1]) == 1 and texts
end

return M
