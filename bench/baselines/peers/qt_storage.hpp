// SPDX-License-Identifier: MIT
#pragma once

// The calling thread's slot for one pointer, in a QThreadStorage; null at first. When the thread
// ends, `destroy` is called with the pointer, unless it is null. Always pass the same `destroy`.
extern "C" void** threadref_bench_qt_slot(void (*destroy)(void*));
