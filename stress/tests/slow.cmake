# Plays the events that --list marks as slow, which --smoke skips unless --filter names them:
#   cmake -DPROGRAM=stress_threadref -P slow.cmake
execute_process(COMMAND ${PROGRAM} --list RESULT_VARIABLE status OUTPUT_VARIABLE list)
string(REGEX MATCHALL "[a-z_]+/[a-z0-9_]+/[a-z0-9_]+ +(run|deviates) slow" cells "${list}")
if(NOT status EQUAL 0 OR NOT cells)
  message(FATAL_ERROR "--list ended with ${status} and marks no event as slow")
endif()
list(TRANSFORM cells REPLACE "/[a-z0-9_]+ .*" "")
list(REMOVE_DUPLICATES cells)
list(JOIN cells "|" events)
execute_process(COMMAND ${PROGRAM} --smoke "--filter=^(${events})/" RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "ended with ${status}")
endif()
