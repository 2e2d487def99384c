# Cross-compiles for aarch64, and runs the programs under qemu's user mode. Needs the packages
# g++-aarch64-linux-gnu and qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(triplet aarch64-linux-gnu)
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_CXX_COMPILER ${triplet}-g++)
foreach(program ${CMAKE_CXX_COMPILER} qemu-aarch64)
  find_program(found_${program} ${program})
  if(NOT found_${program})
    message(FATAL_ERROR
      "aarch64: ${program} is missing; scripts/setup.sh --all installs what this build needs")
  endif()
endforeach()
set(CMAKE_LIBRARY_ARCHITECTURE ${triplet})
# By its environment and not by arguments: the tests start their child processes with it, too.
set(CMAKE_CROSSCOMPILING_EMULATOR env QEMU_LD_PREFIX=/usr/${triplet}
  THREADREF_EMULATOR=qemu-aarch64 qemu-aarch64)

# This machine's libraries can't be used, so without Boost for aarch64 its back ends are absent.
# This machine's headers can be used; Debian's cross compiler does so itself.
set(CMAKE_FIND_ROOT_PATH /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
