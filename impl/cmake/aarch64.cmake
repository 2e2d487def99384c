# Cross-compiles for aarch64, and starts what was built under qemu's user mode. Packages:
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
# Its environment, not its arguments: child processes of the tests are started by it, too.
set(CMAKE_CROSSCOMPILING_EMULATOR env QEMU_LD_PREFIX=/usr/${triplet}
  THREADREF_EMULATOR=qemu-aarch64 qemu-aarch64)

# This machine's libraries are none of ours: without those of Boost for aarch64 its back ends are
# absent. Headers are, as Debian's cross compiler itself has it.
set(CMAKE_FIND_ROOT_PATH /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
