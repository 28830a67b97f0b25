# The version stands in one place: MAREY_VERSION of the public header.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../include/marey.h version_line REGEX "^#define MAREY_VERSION ")
string(REGEX REPLACE ".*\"([0-9.]+).*\".*" "\\1" MAREY_VERSION "${version_line}")
if(NOT MAREY_VERSION MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$")
  message(FATAL_ERROR "include/marey.h has no line '#define MAREY_VERSION \"x.y.z\"'.")
endif()
