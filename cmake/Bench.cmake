# What measures the sampler and the page from within: programs that need more than the library shows. The others are built by
# bench/environments.py, against the library as users get it.
foreach(name unwind sampler page)
  add_executable(bench_${name} bench/${name}.c)
  set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
  target_link_libraries(bench_${name} PRIVATE ${marey_parts})
endforeach()
