local function words(n)
  return n and "there are " .. n or "there is none"
end
