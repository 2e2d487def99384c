// SPDX-License-Identifier: MIT
#include "threadref/detail/code_range.hpp"

#include <link.h>

#include <algorithm>
#include <cstddef>

namespace threadref::inline THREADREF_ABI::detail {

namespace {

struct search {
  std::uintptr_t address;
  code_range found;
};

int look_at(dl_phdr_info* object, std::size_t /*size*/, void* of_search) {
  search& s = *static_cast<search*>(of_search);
  code_range whole{UINTPTR_MAX, 0};
  for (int i = 0; i != object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    const std::uintptr_t begin = object->dlpi_addr + part.p_vaddr;
    whole.begin = std::min(whole.begin, begin);
    whole.end = std::max(whole.end, begin + part.p_memsz);
  }
  if (!whole.contains(s.address)) return 0;
  s.found = whole;
  return 1;
}

int look_in_storage(dl_phdr_info* object, std::size_t /*size*/, void* address) {
  if (object->dlpi_tls_data == nullptr) return 0;  // it has none, or this thread has not used it
  const auto begin = reinterpret_cast<std::uintptr_t>(object->dlpi_tls_data);
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const ElfW(Phdr)* const parts = object->dlpi_phdr;
  return static_cast<int>(std::any_of(parts, parts + object->dlpi_phnum, [=](const auto& part) {
    return part.p_type == PT_TLS && begin <= at && at - begin < part.p_memsz;
  }));
}

}  // namespace

code_range object_with(const void* address) noexcept {
  search s{reinterpret_cast<std::uintptr_t>(address), {}};
  dl_iterate_phdr(&look_at, &s);
  return s.found;
}

bool is_thread_local(const void* address) noexcept {
  return dl_iterate_phdr(&look_in_storage, const_cast<void*>(address)) != 0;
}

}  // namespace threadref::inline THREADREF_ABI::detail
