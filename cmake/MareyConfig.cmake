# find_package(Marey): the target Marey::marey.
include(${CMAKE_CURRENT_LIST_DIR}/MareyTargets.cmake)
