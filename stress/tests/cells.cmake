# After the program is built: a test for each of its cells, from its own list.
#   cmake -DPROGRAM=stress_threadref -DOUT=cells_tests.cmake -P cells.cmake
execute_process(COMMAND ${PROGRAM} --list RESULT_VARIABLE status OUTPUT_VARIABLE list)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} --list ended with ${status}")
endif()
set(tests "")
string(REGEX MATCHALL "[^\n]+" lines "${list}")
foreach(line IN LISTS lines)
  # What is not played says why in the list; a test would only repeat it.
  if(NOT line MATCHES "^([^ ]+) +(run|deviates)( slow)?")
    continue()
  endif()
  set(cell ${CMAKE_MATCH_1})
  set(labels stress)
  if(CMAKE_MATCH_3)
    set(labels "stress;nightly")
  endif()
  string(APPEND tests
    "add_test(stress.cell.${cell} \"${PROGRAM}\" --smoke \"--filter=^${cell}$\")\n"
    "set_tests_properties(stress.cell.${cell} PROPERTIES LABELS \"${labels}\" TIMEOUT 300)\n")
endforeach()
file(WRITE ${OUT} "${tests}")
