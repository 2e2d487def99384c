# The same checks of plugins in a build with the other TLS model; and a model that does not exist.
set(other_build
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
  -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE}
  -DTHREADREF_BUILD_BENCH=OFF -DTHREADREF_BUILD_STRESS=OFF -DTHREADREF_INSTALL=OFF)
set(dir ${CMAKE_CURRENT_BINARY_DIR}/initial_exec)
add_test(NAME tls_model.initial_exec COMMAND ${CMAKE_CTEST_COMMAND}
  --build-and-test ${PROJECT_SOURCE_DIR} ${dir} --build-generator ${CMAKE_GENERATOR}
  --build-target plugin_programs
  --build-options ${other_build} -DTHREADREF_TLS_MODEL=initial-exec
  --test-command ${CMAKE_CTEST_COMMAND} --no-tests=error --tests-regex ^plugin\\.)
set_tests_properties(tls_model.initial_exec PROPERTIES LABELS nightly TIMEOUT ${test_timeout})
add_test(NAME tls_model.unknown COMMAND ${CMAKE_COMMAND} -G ${CMAKE_GENERATOR} ${other_build}
  -DTHREADREF_TLS_MODEL=fast -S ${PROJECT_SOURCE_DIR} -B ${CMAKE_CURRENT_BINARY_DIR}/no_model)
set_tests_properties(tls_model.unknown PROPERTIES LABELS nightly TIMEOUT ${test_timeout}
  PASS_REGULAR_EXPRESSION "is 'fast'; expected one of: default;initial-exec")
