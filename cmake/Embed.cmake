# A file as an array of bytes in a program, with a NUL behind it: `extern const char SYMBOL[];`.
#   marey_embed(TARGET FILE SYMBOL)
# Run as a script (-P, with FROM, TO and SYMBOL set) this same file writes the array.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${FROM} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n"
         bytes "${bytes}")
  file(WRITE ${TO} "extern const char ${SYMBOL}[];\nconst char ${SYMBOL}[] = {\n${bytes}0};\n")
  return()
endif()

set(embed_script ${CMAKE_CURRENT_LIST_FILE})
function(marey_embed target file symbol)
  set(from ${CMAKE_SOURCE_DIR}/${file})
  set(to ${CMAKE_BINARY_DIR}/embedded/${symbol}.c)
  add_custom_command(
    OUTPUT ${to} DEPENDS ${from} ${embed_script} VERBATIM
    COMMAND ${CMAKE_COMMAND} -DFROM=${from} -DTO=${to} -DSYMBOL=${symbol} -P ${embed_script})
  target_sources(${target} PRIVATE ${to})
endfunction()
