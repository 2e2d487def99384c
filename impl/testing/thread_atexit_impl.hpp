// SPDX-License-Identifier: MIT
#pragma once

// What the compiler calls for each thread_local with a destructor (Itanium C++ ABI; glibc since
// 2.18). No header declares these two, and their names are fixed. g++ itself declares the second
// for a thread_local inside a function and then accepts no other declaration of that name, so it
// has another name here.
extern "C" int __cxa_thread_atexit_impl(  // NOLINT(readability-identifier-naming)
    void (*fn)(void*), void* arg, void* dso) noexcept;
extern void* threadref_dso_handle asm("__dso_handle");
