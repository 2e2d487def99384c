# The clone: the library and all timed code a second time in the program, at other addresses. What
# differs between a subject and its clone is an accident of layout, and no difference between
# mechanisms. It is to be the same machine code, so the objects are copied, not compiled again.
set(clone ${CMAKE_CURRENT_BINARY_DIR}/clone.o)
set(clone_objects ${timed_objects} $<TARGET_OBJECTS:threadref>)
set(clone_script ${CMAKE_CURRENT_LIST_DIR}/clone.sh)
add_custom_command(OUTPUT ${clone}
  COMMAND ${clone_script} ${CMAKE_LINKER} ${CMAKE_NM} ${CMAKE_OBJCOPY} ${clone} ${clone_objects}
  DEPENDS ${clone_objects} ${clone_script}
  COMMAND_EXPAND_LISTS VERBATIM
  COMMENT "Copying all timed code under other names")
target_sources(bench_threadref PRIVATE ${clone})
set_source_files_properties(${clone} PROPERTIES EXTERNAL_OBJECT TRUE)
