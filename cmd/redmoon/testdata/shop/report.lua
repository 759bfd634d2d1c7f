-- report tells what there is of an item.
%include "lib/words"
%key item
%return string
return words(redis.call("GET", item))
