# What scripts/lab docs --only checks reads: the tests leave their results in this folder of the
# build. Emptied now, so that nothing stays there of tests that are no more.
set(check_results ${PROJECT_BINARY_DIR}/checks)
file(REMOVE_RECURSE ${check_results})
file(MAKE_DIRECTORY ${check_results})

# threadref_check_test(<name> <program> <argument>...)
#
# A test that is no GoogleTest, and says what came of which check on which back end. For each it
# prints a line of its own, one of:
#   check c101_what_holds <back end>: passed
#   check c101_what_holds <back end>: n/a <why>
#   check c101_what_holds <back end>: deviates <outcome>: <why>
function(threadref_check_test name)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -DOUTPUT=${PROJECT_BINARY_DIR}/checks/${name}.txt
    -P ${PROJECT_SOURCE_DIR}/impl/cmake/keep_output.cmake -- ${ARGN})
  set_tests_properties(${name} PROPERTIES FIXTURES_SETUP check_results)
endfunction()
