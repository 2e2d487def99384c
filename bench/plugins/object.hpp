// SPDX-License-Identifier: MIT
#pragma once

// Exported by plugins/object.cpp.
extern "C" int threadref_bench_register(void (*fn)(void*), void* arg);
