// SPDX-License-Identifier: MIT
#pragma once

// What plugins/object.cpp offers.
extern "C" int threadref_bench_register(void (*fn)(void*), void* arg);
