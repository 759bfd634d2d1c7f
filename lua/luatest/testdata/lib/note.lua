local noted = redis.call("GET", item)
