// SPDX-License-Identifier: MIT
// Bugs that real projects had when threads ended. A row of the table of events names the bugs that
// it would have shown. A bug without such a row says why.
#pragma once

#include <string_view>

namespace threadref::stress {

struct bug {
  int line;
  std::string_view symptom;  // and the projects that had it
  std::string_view why_no_row{};
};

inline constexpr bug bugs[] = {
    {1, "OpenSSL 653: crash at thread exit after dlclose, in a key's destructor that is gone"},
    {2, "s2n-tls 3987, 4037: crash on join; then keys leaked until none was left"},
    {3, "OpenBLAS 1720: hang or crash at exit; the main thread outlived the library"},
    {4, "SSSD 6505: crashes in hosts that a third thread unloads it from"},
    {5, "WSL 12171: crash on quit; the plugin went before its thread"},
    {6, "mimalloc 809, 208: crash after an allocator in a plugin was unloaded"},
    {7, "Rust 91979, 59629, 88737: the wrong object stays loaded, or none"},
    {8, "Android NDK 360, 1200, 939: destructors missing after dlclose; keys run out in loops"},
    {9, "LLVM 154361, libobjc2 321, wxWidgets 24730: a process dies at exit in an unloaded DLL",
     "fiber-local storage of Windows"},
    {10, "mxml 293: a library deletes key 0, which it never created"},
    {11, "Traffic Server 10129: deadlock; a thread registers while dlopen waits for it"},
    {12,
     "bytehound 65, ytsaurus 854, gperftools 1080: the same lock in malloc or a signal handler"},
    {13, "glibc, unreported: registering gets slower with each loaded object",
     "a time: bench_threadref --benchmark_filter=sweep/loaded_objects"},
    {14, "folly 1252, 1969: crash at exit when a thread_local's destructor uses another mechanism"},
    {15, "Nebula 3553: crash at every stop; thread-local storage used from static destructors"},
    {16, "OpenSSL 29182: leak; another key, created before, was set to null first"},
    {17, "sanitizers 943: ThreadSanitizer crashes in a key's destructor"},
    {18, "jemalloc 2825, 896: corruption; freed after the allocator's own cleanup"},
    {19, "Heap-Layers 30, snmalloc 217: crash; a destructor frees after the heap is gone"},
    {20,
     "parking_lot 37, thread_local-rs 74, env_logger 145: abort; a destructor uses the library"},
    {21, "libdatachannel-java 51: a destructor asks for its thread's value, which is null by then"},
    {22,
     "llvm-project 194029, SerenityOS 24735, cosmopolitan 1073, Rust 28129, 126858: main's are "
     "not run, or in the wrong order"},
    {23,
     "RocksDB 578, 1070, simbody 422, Botan 3926: crash at exit; a thread uses destroyed "
     "statics"},
    {24, "realm-js 480, syn 1106, oneTBB: a new thread takes over what a dead one had"},
    {25, "TensorFlow 31301: destroyed twice; a library is in the process twice"},
    {26, "FrankenPHP 2416, Qore 4927, sprout 621, brpc 2296: abort or garbage when keys run out"},
    {27, "gperftools 178, haikuports 3851, c2pa-python 285: a forked child hangs"},
    {28, "folly 133: a thread is counted neither among the living nor among the dead"},
    {29, "folly 1632: is a lighter fence enough?",
     "a fence is tested by taking it out: the mutants of the claim protocol"},
    {30, "MSYS2 2519, 7096, mingw-w64 80: used after free; storage goes before its destructor",
     "emulated thread-local storage of MinGW"},
    {31, "thread_system 113: a thread's list is freed while others still read it"},
    {32, "Boost, Qt, folly, unreported: a destructor that sets its own value again"},
};

}  // namespace threadref::stress
