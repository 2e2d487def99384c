// SPDX-License-Identifier: MIT
// A file of its own, because Qt's headers demand -fPIC: with that, every other thread_local of this
// program would be found in another way than in programs without Qt.
#include "bench/baselines/peers/qt_storage.hpp"

#include <QThreadStorage>

namespace {

struct place {
  void* stored = nullptr;
  void (*destroy)(void*) = nullptr;
  place() = default;
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  ~place() {
    if (stored != nullptr) destroy(stored);
  }
};

}  // namespace

void** threadref_bench_qt_slot(void (*destroy)(void*)) {
  // Never destroyed: threads end after statics do.
  static auto& all = *new QThreadStorage<place*>;
  place*& own = all.localData();
  if (own == nullptr) {
    own = new place;
    own->destroy = destroy;
  }
  return &own->stored;
}
