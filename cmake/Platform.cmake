# Marey writes into mapped files with the memory rules of two processors and reads Linux's /proc: elsewhere it
# would build and be wrong, so it does not build.
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR "Marey runs on Linux only; this is ${CMAKE_SYSTEM_NAME}.")
endif()
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|aarch64|arm64)$" OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
  message(FATAL_ERROR "Marey runs on 64-bit x86-64 and aarch64 processors only; this is ${CMAKE_SYSTEM_PROCESSOR}.")
endif()
