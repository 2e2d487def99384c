# bench_subject(<name> <source>)
#
# Compiles the timed code of one subject as a library of its own.
add_library(bench_subject_options INTERFACE)
target_compile_features(bench_subject_options INTERFACE cxx_std_20)
target_include_directories(bench_subject_options INTERFACE ${PROJECT_SOURCE_DIR}
  ${PROJECT_BINARY_DIR}/generated $<TARGET_PROPERTY:threadref,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(bench_subject_options INTERFACE
  $<TARGET_PROPERTY:threadref,INTERFACE_COMPILE_DEFINITIONS>)
target_link_libraries(bench_subject_options INTERFACE Threads::Threads threadref_warnings)
set(bench_dir ${CMAKE_CURRENT_SOURCE_DIR})

function(bench_subject name source)
  add_library(bench_of_${name} OBJECT ${bench_dir}/${source})
  target_link_libraries(bench_of_${name} PRIVATE bench_subject_options)
endfunction()

# Writes bench_subjects.hpp, which lists the functions that the subjects of bench_subject() define.
function(bench_subjects_header)
  get_property(back_ends GLOBAL PROPERTY threadref_backends)
  get_property(canaries GLOBAL PROPERTY threadref_canaries)
  get_property(peers GLOBAL PROPERTY threadref_peers)
  get_property(absent GLOBAL PROPERTY threadref_absent_peers)
  string(CONCAT absent ${absent})
  set(declarations)
  foreach(name IN LISTS back_ends canaries peers)
    string(APPEND declarations "const subject_code& code_of_${name}();\n")
  endforeach()
  foreach(kind back_end:back_ends canary:canaries peer:peers)
    string(REPLACE ":" ";" kind ${kind})
    list(GET kind 0 one)
    list(GET kind 1 many)
    list(TRANSFORM ${many} PREPEND "&code_of_")
    list(JOIN ${many} ", " ${one}_codes)
  endforeach()
  configure_file(${bench_dir}/subjects/bench_subjects.hpp.in
    ${PROJECT_BINARY_DIR}/generated/bench_subjects.hpp @ONLY)
endfunction()
