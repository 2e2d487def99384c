# The folder of the build in which the tests store their results, for scripts/lab docs.
# It is emptied here, so that no results of removed tests stay there.
set(check_results ${PROJECT_BINARY_DIR}/checks)
file(REMOVE_RECURSE ${check_results})
file(MAKE_DIRECTORY ${check_results})

# threadref_check_test(<name> <program> <argument>...)
#
# A test that does not use GoogleTest and reports the result of each check on each back end. For
# each, it prints one of these lines:
#   check c101_what_holds <back end>: passed
#   check c101_what_holds <back end>: n/a <why>
#   check c101_what_holds <back end>: deviates <outcome>: <why>
function(threadref_check_test name)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -DOUTPUT=${PROJECT_BINARY_DIR}/checks/${name}.txt
    -P ${PROJECT_SOURCE_DIR}/impl/cmake/keep_output.cmake -- ${ARGN})
  set_tests_properties(${name} PROPERTIES FIXTURES_SETUP check_results)
endfunction()
