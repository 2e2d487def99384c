# threadref_backend(<name> [PACKAGE <pkg> [COMPONENTS <c>...]] [LINK <target>...] [CANARY [RARE]])
#
# One line of the table of back ends. Adds <name>/backend.{hpp,cpp} to the library, or records why
# the back end is absent. A CANARY is broken on purpose; it goes to threadref_canaries, which only
# the harnesses link, so that nothing broken is ever installed. RARE: its fault occurs once in very
# many threads, so only stress_threadref --rare must catch it.
# threadref/backends.hpp and scenarios/canaries.hpp are generated from these calls.
function(threadref_backend name)
  cmake_parse_arguments(arg "CANARY;RARE" "PACKAGE" "COMPONENTS;LINK" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "threadref_backend(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()

  if(NOT arg_CANARY)
    set_property(GLOBAL APPEND PROPERTY threadref_table ${name})
  endif()
  if(THREADREF_BACKENDS AND NOT arg_CANARY AND NOT name IN_LIST THREADREF_BACKENDS)
    set_property(GLOBAL APPEND_STRING PROPERTY threadref_absent
      "    {\"${name}\", \"left out by THREADREF_BACKENDS\"},\n")
    return()
  endif()
  if(arg_PACKAGE)
    find_package(${arg_PACKAGE} QUIET GLOBAL COMPONENTS ${arg_COMPONENTS})
    if(NOT ${arg_PACKAGE}_FOUND)
      set(why "package ${arg_PACKAGE} not found")
      message(STATUS "threadref: ${name} is absent (${why})")
      set_property(GLOBAL APPEND_STRING PROPERTY threadref_absent
        "    {\"${name}\", \"${why}\"},\n")
      return()
    endif()
    list(JOIN arg_COMPONENTS " " components)
    set_property(GLOBAL APPEND_STRING PROPERTY threadref_finds
      "find_dependency(${arg_PACKAGE} COMPONENTS ${components})\n")
  endif()

  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}/backend.cpp)
  set(header ${CMAKE_CURRENT_SOURCE_DIR}/${name}/backend.hpp)
  set(include "#include \"threadref/backends/${name}/backend.hpp\"\n")
  if(arg_CANARY)
    set_property(GLOBAL APPEND PROPERTY threadref_canary_sources ${source})
    set_property(GLOBAL APPEND_STRING PROPERTY threadref_canary_includes ${include})
    if(arg_RARE)
      set_property(GLOBAL APPEND PROPERTY threadref_rare_canaries ${name})
    else()
      set_property(GLOBAL APPEND PROPERTY threadref_canaries ${name})
    endif()
  else()
    set_property(GLOBAL APPEND PROPERTY threadref_sources ${source})
    set_property(GLOBAL APPEND PROPERTY threadref_headers ${header})
    set_property(GLOBAL APPEND PROPERTY threadref_links ${arg_LINK})
    set_property(GLOBAL APPEND_STRING PROPERTY threadref_includes ${include})
    set_property(GLOBAL APPEND PROPERTY threadref_backends ${name})
  endif()
endfunction()
