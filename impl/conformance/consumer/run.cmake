# Installs the library into a new prefix, then configures, builds and runs the consumer against it.
# Needs: BUILD_DIR, SOURCE_DIR, WORK_DIR, GENERATOR, COMPILER, FLAGS.
file(REMOVE_RECURSE ${WORK_DIR})
set(prefix ${WORK_DIR}/prefix)
foreach(step
    "--install;${BUILD_DIR};--prefix;${prefix}"
    "-G;${GENERATOR};-S;${SOURCE_DIR};-B;${WORK_DIR}/build;-DCMAKE_PREFIX_PATH=${prefix};\
-DCMAKE_CXX_COMPILER=${COMPILER};-DCMAKE_CXX_FLAGS=${FLAGS}"
    "--build;${WORK_DIR}/build")
  execute_process(COMMAND ${CMAKE_COMMAND} ${step} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND ${WORK_DIR}/build/consumer COMMAND_ERROR_IS_FATAL ANY)
