// SPDX-License-Identifier: MIT
#pragma once

// The calling thread's place for one pointer, in a QThreadStorage; null at first. `destroy` is
// called with what is in it then when the thread ends. Always call it with the same one.
extern "C" void** threadref_bench_qt_slot(void (*destroy)(void*));
