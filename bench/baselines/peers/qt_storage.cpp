// SPDX-License-Identifier: MIT
// A separate file, because Qt's headers require -fPIC: with that, every other thread_local of this
// program would be accessed differently than in programs without Qt.
#include "bench/baselines/peers/qt_storage.hpp"

#include <QThreadStorage>

namespace {

struct slot {
  void* stored = nullptr;
  void (*destroy)(void*) = nullptr;
  slot() = default;
  slot(const slot&) = delete;
  slot& operator=(const slot&) = delete;
  ~slot() {
    if (stored != nullptr) destroy(stored);
  }
};

}  // namespace

void** threadref_bench_qt_slot(void (*destroy)(void*)) {
  // Never destroyed: threads may end after statics are destroyed.
  static auto& all = *new QThreadStorage<slot*>;
  slot*& own = all.localData();
  if (own == nullptr) {
    own = new slot;
    own->destroy = destroy;
  }
  return &own->stored;
}
