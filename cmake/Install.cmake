# What is installed. In a wheel everything is below site-packages/marey, the command among the scripts; else the
# usual folders of the prefix. Nothing holds an absolute path: the tree may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(SKBUILD)
  set(lib_dir marey/lib)
  set(include_dir marey/include)
  set(bin_dir ${SKBUILD_SCRIPTS_DIR})
  # Programs find the library in site-packages by this; in a system folder they need no help.
  set(pc_rpath " -Wl,-rpath,\${libdir}")
else()
  set(lib_dir ${CMAKE_INSTALL_LIBDIR})
  set(include_dir ${CMAKE_INSTALL_INCLUDEDIR})
  set(bin_dir ${CMAKE_INSTALL_BINDIR})
  set(pc_rpath "")
endif()

install(TARGETS libmarey EXPORT MareyTargets LIBRARY DESTINATION ${lib_dir} INCLUDES DESTINATION ${include_dir})
install(FILES include/marey.h DESTINATION ${include_dir})
if(TARGET marey_command)
  install(TARGETS marey_command RUNTIME DESTINATION ${bin_dir})
endif()
if(MAREY_PYTHON)
  install(TARGETS marey_python marey_python_page LIBRARY DESTINATION marey)
  install(FILES cmake/marey.pth DESTINATION .)
endif()

file(RELATIVE_PATH pc_prefix /${lib_dir}/pkgconfig /${include_dir}/..)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
get_filename_component(pc_include ${include_dir} NAME)
file(RELATIVE_PATH pc_lib /${include_dir}/.. /${lib_dir})
configure_file(cmake/marey.pc.in marey.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/marey.pc DESTINATION ${lib_dir}/pkgconfig)

install(EXPORT MareyTargets NAMESPACE Marey:: DESTINATION ${lib_dir}/cmake/Marey)
install(FILES cmake/MareyConfig.cmake DESTINATION ${lib_dir}/cmake/Marey)
write_basic_package_version_file(MareyConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/MareyConfigVersion.cmake DESTINATION ${lib_dir}/cmake/Marey)
