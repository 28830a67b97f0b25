echo "just text" >text
: >empty
marey check text empty
