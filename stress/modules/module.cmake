# stress_module(<name> <source>...)
#
# A shared object beside the program, which an event loads or a child starts with. It exports only
# its entry points: a copy of the library must stay a copy, and an object that is to be unloaded
# must not share variables of templates, which would keep it loaded.
set(stress_exports ${CMAKE_CURRENT_LIST_DIR}/exports.map)
function(stress_module name)
  add_library(${name} MODULE ${ARGN})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_include_directories(${name} PRIVATE
    ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/impl ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(${name} PRIVATE Threads::Threads threadref_warnings)
  target_link_options(${name} PRIVATE LINKER:--version-script=${stress_exports})
  set_target_properties(${name} PROPERTIES PREFIX ""
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} LINK_DEPENDS ${stress_exports})
  set_property(GLOBAL APPEND PROPERTY threadref_stress_modules ${name})
endfunction()

# stress_part(<variable> <name> <source>): objects that several modules contain, compiled once.
function(stress_part variable name)
  add_library(${name} OBJECT ${ARGN})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_include_directories(${name} PRIVATE
    ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/impl)
  target_link_libraries(${name} PRIVATE threadref_warnings)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  set(${variable} $<TARGET_OBJECTS:${name}> PARENT_SCOPE)
endfunction()
stress_part(stress_code_of_each stress_code_objects modules/code.cpp)
stress_part(stress_memory_hooks stress_memory_hooks_objects ${memory_hooks})
# Reading a thread_local must not allocate.
target_compile_options(stress_memory_hooks_objects PRIVATE -ftls-model=initial-exec)
