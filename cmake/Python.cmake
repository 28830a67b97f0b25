# The extension modules marey/_marey and marey/_page, for the interpreter in Python_EXECUTABLE (scikit-build-core sets it), or python3.
# The interpreter itself is asked, so that versions younger than this CMake, and builds without the GIL, are right.
if(NOT Python_EXECUTABLE)
  find_program(Python_EXECUTABLE NAMES python3 REQUIRED)
endif()
execute_process(
  COMMAND ${Python_EXECUTABLE} -c
    "import sysconfig as s; print(s.get_path('include'), s.get_path('platinclude'), s.get_config_var('EXT_SUFFIX'), sep=';')"
  OUTPUT_VARIABLE python_answer OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
list(GET python_answer 0 python_include)
list(GET python_answer 1 python_platform_include)
list(GET python_answer 2 python_suffix)
if(NOT EXISTS ${python_include}/Python.h)
  message(FATAL_ERROR "${Python_EXECUTABLE} has no Python.h (looked in ${python_include}). On Debian: apt install python3-dev")
endif()

# marey_extension(TARGET NAME SOURCE...): a module beside lib/libmarey.so.
function(marey_extension target name)
  add_library(${target} MODULE ${ARGN})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name} PREFIX "" SUFFIX ${python_suffix}
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/lib")
  # Calls into libmarey.so by one load of their address, without a stub between. Python.h declares no PyInit_... before.
  target_compile_options(${target} PRIVATE -fno-plt -Wno-missing-prototypes)
  target_include_directories(${target} SYSTEM PRIVATE ${python_include} ${python_platform_include})
  # Python's own symbols come from the interpreter that loads the module.
  target_link_options(${target} PRIVATE -Wl,--unresolved-symbols=ignore-all)
  target_link_libraries(${target} PRIVATE libmarey)
endfunction()

file(GLOB python_sources CONFIGURE_DEPENDS src/python/*.c)
# base/secret.c for the unwinder: libmarey.so keeps its own to itself.
marey_extension(marey_python _marey ${python_sources} src/base/secret.c)
target_link_libraries(marey_python PRIVATE marey_output marey_model marey_stack m ${CMAKE_DL_LIBS})

file(GLOB python_page_sources CONFIGURE_DEPENDS src/python/page/*.c)
marey_extension(marey_python_page _page ${python_page_sources} src/python/zlib.c)
target_link_libraries(marey_python_page PRIVATE marey_page marey_output marey_model m ${CMAKE_DL_LIBS})
