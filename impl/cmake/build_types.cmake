# The build types that the presets choose from: Release, RelWithDebInfo, Debug, and the four below.
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(types Release RelWithDebInfo Debug Tsan Asan Memcheck Coverage)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "One of: ${types}" FORCE)
endif()
set_property(CACHE CMAKE_BUILD_TYPE PROPERTY STRINGS ${types})
if(NOT CMAKE_BUILD_TYPE IN_LIST types)
  message(FATAL_ERROR "CMAKE_BUILD_TYPE is '${CMAKE_BUILD_TYPE}'; expected one of: ${types}")
endif()

# Plain variables, not cache entries: project() has already created empty cache entries with these
# names, and set(... CACHE) would silently leave them empty. The tests would then pass without the
# sanitizer. The test sanitizer_reports guards against that.
set(sanitize "-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all")
foreach(lang C CXX)
  set(CMAKE_${lang}_FLAGS_TSAN     "${sanitize} -fsanitize=thread")
  set(CMAKE_${lang}_FLAGS_ASAN     "${sanitize} -fsanitize=address,undefined")
  # The tests of this build run under valgrind.
  set(CMAKE_${lang}_FLAGS_MEMCHECK "-O1 -g -DTHREADREF_UNDER_MEMCHECK=1")
  set(CMAKE_${lang}_FLAGS_COVERAGE "-O0 -g --coverage")
endforeach()

# The report that each build must give for each planted fault: build type -> fault:report.
set(THREADREF_PLANTS_Tsan "race:data race")
set(THREADREF_PLANTS_Asan "use_after_free:heap-use-after-free" "overflow:signed integer overflow"
                          "leak:detected memory leaks" "stale_closure:use-after-poison")

# Saves a third of the time for code that is neither the library nor timed. (A sanitizer's report
# needs only the line numbers, so -g1.)
set(threadref_faster_to_compile $<$<CONFIG:Release>:-O1> $<$<CONFIG:Tsan,Asan>:-g1>)
