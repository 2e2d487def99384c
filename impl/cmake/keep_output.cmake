# cmake -DOUTPUT=<file> -P keep_output.cmake -- <program> <argument>...
# Runs a test and stores its output in the file. Fails if the program does.
foreach(i RANGE ${CMAKE_ARGC})
  if(begun)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif("${CMAKE_ARGV${i}}" STREQUAL "--")
    set(begun TRUE)
  endif()
endforeach()
file(REMOVE ${OUTPUT})
execute_process(COMMAND ${command} OUTPUT_VARIABLE printed ECHO_OUTPUT_VARIABLE
  RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the test ended with status ${status}")
endif()
file(WRITE ${OUTPUT} "${printed}")
