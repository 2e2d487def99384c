# threadref_peer(<name> [DEBIAN <package>] [PACKAGE <pkg> [COMPONENTS <c>...]] [MODULE <pkg-config>]
#                [LINK <target>...] [APART <source>])
#
# One line of the table of peers: adds <name>.cpp to bench_threadref, or records why it is absent.
# DEBIAN is the package to install for PACKAGE (CMake's) or MODULE (pkg-config's). Only
# bench_threadref links what a peer needs. APART: a source file that is compiled with the options of
# LINK, which bench_threadref is not. bench_subjects.hpp is generated from all these calls.
function(threadref_peer name)
  cmake_parse_arguments(arg "" "DEBIAN;APART" "" ${ARGN})
  threadref_find_optional(${name} is_there link ${arg_UNPARSED_ARGUMENTS})
  if(NOT is_there)
    set(why "package ${arg_DEBIAN} is missing: scripts/setup.sh --all installs it")
    message(STATUS "threadref: ${name} is absent (${why})")
    set_property(GLOBAL APPEND_STRING PROPERTY threadref_absent_peers
      "    {\"${name}\", \"${why}\"},\n")
    return()
  endif()

  if(arg_APART)
    add_library(${name} STATIC ${arg_APART})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE ${link} threadref_warnings)
    target_compile_features(${name} PRIVATE cxx_std_20)
    set(link ${name})
  endif()
  bench_subject(${name} baselines/peers/${name}.cpp)
  target_link_libraries(bench_of_${name} PRIVATE ${link})
  set_property(GLOBAL APPEND PROPERTY threadref_peer_links ${link})
  set_property(GLOBAL APPEND PROPERTY threadref_peers ${name})
endfunction()
