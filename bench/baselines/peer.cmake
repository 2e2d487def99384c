# threadref_peer(<name> [DEBIAN <package>] [PACKAGE <pkg> [COMPONENTS <c>...]] [MODULE <pkg-config>]
#                [LINK <target>...] [APART <source>])
#
# One line of the table of peers: <name>.hpp joins bench_threadref, or the reason why it is absent
# is recorded. DEBIAN is what has to be installed for PACKAGE (CMake's) or MODULE (pkg-config's).
# Only bench_threadref links what a peer needs. APART: a source file that is compiled as LINK
# demands, and bench_threadref is not.
# The calls together are what baselines/peers.hpp is generated from.
function(threadref_peer name)
  cmake_parse_arguments(arg "" "DEBIAN;PACKAGE;MODULE;APART" "COMPONENTS;LINK" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "threadref_peer(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()

  set(is_there TRUE)
  if(arg_PACKAGE)
    find_package(${arg_PACKAGE} QUIET GLOBAL COMPONENTS ${arg_COMPONENTS})
    set(is_there ${${arg_PACKAGE}_FOUND})
  elseif(arg_MODULE)
    set(is_there FALSE)
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
      pkg_check_modules(${name} QUIET IMPORTED_TARGET GLOBAL ${arg_MODULE})
      set(is_there ${${name}_FOUND})
      set(arg_LINK PkgConfig::${name})
    endif()
  endif()
  if(NOT is_there)
    set(why "package ${arg_DEBIAN} is missing: scripts/setup.sh --all installs it")
    message(STATUS "threadref: ${name} is absent (${why})")
    set_property(GLOBAL APPEND_STRING PROPERTY threadref_absent_peers
      "    {\"${name}\", \"${why}\"},\n")
    return()
  endif()

  if(arg_APART)
    add_library(${name} STATIC ${arg_APART})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/bench)
    target_link_libraries(${name} PRIVATE ${arg_LINK} threadref_warnings)
    target_compile_features(${name} PRIVATE cxx_std_20)
    set(arg_LINK ${name})
  endif()
  set_property(GLOBAL APPEND PROPERTY threadref_peer_links ${arg_LINK})
  set_property(GLOBAL APPEND PROPERTY threadref_peers ${name})
  set(header baselines/${name}.hpp)
  set_property(GLOBAL APPEND_STRING PROPERTY threadref_peer_includes "#include \"${header}\"\n")
endfunction()
