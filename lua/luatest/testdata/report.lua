%include "lib/gone"
%key item
if gone(item) then
  return "gone"
end
%include "lib/note"
%include "lib/note"
return "there"
