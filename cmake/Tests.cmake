# The C tests, for ctest.
#   tests/unit/test_*.c    one program each, with cmocka, of all parts and their inner functions; label unit
#   tests/unit/*.c         other files there: helpers of all of them
#   tests/crash/*.c        programs that crash on purpose, linked to libmarey.so as a user's are; pytest runs them
#   examples/*.c           compiled, so that they stay right
find_path(cmocka_include cmocka.h)
find_library(cmocka_library cmocka)
if(NOT cmocka_include OR NOT cmocka_library)
  message(FATAL_ERROR "The C tests need cmocka. On Debian: apt install libcmocka-dev")
endif()

set(test_runner "")
if(MAREY_VALGRIND)
  find_program(valgrind valgrind REQUIRED)
  set(test_runner ${valgrind} -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite
      --errors-for-leak-kinds=definite --suppressions=${CMAKE_SOURCE_DIR}/tests/valgrind.supp)
elseif(MAREY_SANITIZE MATCHES "thread")
  # The thread sanitizer of older compilers cannot live with a kernel that scatters mappings widely; a container may
  # forbid to ask for anything else, then its kernel decides.
  execute_process(COMMAND setarch -R true RESULT_VARIABLE cannot_fix_addresses OUTPUT_QUIET ERROR_QUIET)
  if(cannot_fix_addresses EQUAL 0)
    set(test_runner setarch -R)
  endif()
endif()

file(GLOB unit_files CONFIGURE_DEPENDS tests/unit/*.c)
set(unit_tests ${unit_files})
list(FILTER unit_tests INCLUDE REGEX "/test_[^/]*\\.c$")
set(unit_helpers ${unit_files})
list(REMOVE_ITEM unit_helpers ${unit_tests} "")
foreach(source ${unit_tests})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source} ${unit_helpers})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/unit)
  target_include_directories(${name} PRIVATE tests/unit)
  target_include_directories(${name} SYSTEM PRIVATE ${cmocka_include})
  target_link_libraries(${name} PRIVATE ${marey_parts} ${cmocka_library})
  add_test(NAME ${name} COMMAND ${test_runner} $<TARGET_FILE:${name}>)
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300
    ENVIRONMENT "TSAN_OPTIONS=halt_on_error=1;UBSAN_OPTIONS=print_stacktrace=1")
endforeach()

foreach(folder tests/crash examples)
  file(GLOB programs CONFIGURE_DEPENDS ${folder}/*.c)
  foreach(source ${programs})
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "/" "_" target ${folder}_${name})
    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name}
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${folder})
    target_link_libraries(${target} PRIVATE libmarey Threads::Threads m)
  endforeach()
endforeach()

# Programs that read stacks, for the Python tests of the unwinder; inside.c is a library.
if(TARGET marey_stack AND NOT MAREY_SANITIZE)
  add_library(stack_inside MODULE tests/stack/inside.c)
  set_target_properties(stack_inside PROPERTIES PREFIX "")
  foreach(name outside tasks values record sampler)
    add_executable(stack_${name} tests/stack/${name}.c)
  endforeach()
  foreach(name inside outside tasks values record sampler)
    set_target_properties(stack_${name} PROPERTIES OUTPUT_NAME ${name}
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/stack LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/stack)
    target_link_libraries(stack_${name} PRIVATE ${marey_parts} Threads::Threads)
  endforeach()
endif()
