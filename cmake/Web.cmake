# The page of `marey view`: built from web/ by npm (tools/page.sh, into web/dist), and put into marey_page as bytes. Node is
# needed to build it, not to run it.
enable_language(ASM)
find_program(MAREY_NODE NAMES node nodejs)
find_program(MAREY_NPM npm)
if(NOT MAREY_NODE OR NOT MAREY_NPM)
  message(FATAL_ERROR "Marey's page is built by Node and npm. On Debian: apt install nodejs npm")
endif()
execute_process(COMMAND ${MAREY_NODE} --version OUTPUT_VARIABLE node_version OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REGEX REPLACE "^v" "" node_version "${node_version}")
if(node_version VERSION_LESS 18)
  message(FATAL_ERROR "Marey's page needs Node 18 or later; ${MAREY_NODE} is ${node_version}.")
endif()

set(web_assets ${CMAKE_BINARY_DIR}/embedded/page_assets)
file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*)
list(FILTER web_sources EXCLUDE REGEX "/web/(node_modules|dist|test-results)/")
add_custom_command(
  OUTPUT ${web_assets}.c ${web_assets}.S
  DEPENDS ${web_sources} ${CMAKE_SOURCE_DIR}/tools/page.sh ${CMAKE_SOURCE_DIR}/tools/embed.mjs
  COMMAND ${CMAKE_SOURCE_DIR}/tools/page.sh
  COMMAND ${MAREY_NODE} ${CMAKE_SOURCE_DIR}/tools/embed.mjs ${CMAKE_SOURCE_DIR}/web/dist ${web_assets}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  COMMENT "Building the page"
  VERBATIM)
target_sources(marey_page PRIVATE ${web_assets}.c ${web_assets}.S)
