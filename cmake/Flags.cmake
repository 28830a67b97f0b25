# Compiler and linker flags of everything that is built here.
include(CheckIPOSupported)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-Og -g")

# As the sources write it ("#define _GNU_SOURCE"), so that either alone and both together are right.
add_compile_definitions(_GNU_SOURCE=)
add_compile_options(
  -fno-semantic-interposition
  -Wall -Wextra -Wshadow -Wundef -Wvla -Wformat=2 -Wpointer-arith -Wwrite-strings
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wimplicit-fallthrough)
if(MAREY_WERROR)
  add_compile_options(-Werror)
endif()
add_link_options(-Wl,-z,relro,-z,now,--as-needed)

if(MAREY_SANITIZE)
  add_compile_options(-fsanitize=${MAREY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MAREY_SANITIZE})
  # gcc's thread sanitizer does not know fences. Here they order stores into the file, which nobody reads meanwhile but the
  # kernel and snapshots, and stores of a writer's limit, which are atomic.
  if(MAREY_SANITIZE MATCHES thread AND CMAKE_C_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-tsan)
  endif()
else()
  add_link_options(-Wl,--no-undefined)
endif()
if(MAREY_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

# What is shipped does not say where it was built.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT MAREY_SANITIZE AND NOT MAREY_COVERAGE)
  check_ipo_supported(RESULT lto_works OUTPUT lto_output LANGUAGES C)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${lto_works})
endif()
