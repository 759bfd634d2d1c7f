local function words(n)
  if n == 0 then
    return "none"
  end
  return n < 3 and "few" or "many"
end
