# The clone: a second copy of the library and all timed code in the program, at other addresses. A
# difference between a subject and its clone comes from the layout of the code, not from the
# mechanism. The machine code must be the same, so the objects are copied and not compiled again.
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
