// SPDX-License-Identifier: MIT
#include "stress/matrix/model/participants.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "scenarios/describe.hpp"
#include "stress_peers.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"
#include "threadref/backends.hpp"

namespace threadref::stress {

// A program need not have all that the library has.
std::vector<participant> default_participants() {
  std::vector<participant> all;
  for (const stress_peer& p : stress_peers) {
    all.push_back({.name = p.name, .summary = p.summary, .why_absent = p.why_absent});
  }
  for (const backend_info* b : scenarios::all_backends()) {
    if (backend_mechanism(b->name) == nullptr) continue;
    all.push_back({.name = b->name, .summary = b->summary, .contract = b});
  }
  for (const absent_backend& a : absent_backends) {
    if (!a.name.empty()) all.push_back({.name = a.name, .summary = a.why, .why_absent = a.why});
  }
  return all;
}

std::vector<participant> canary_participants() {
  std::vector<participant> all;
  for (const backend_info* b : scenarios::all_canaries()) {
    if (canary_mechanism(b->name) == nullptr) continue;
    all.push_back({.name = b->name, .summary = b->summary, .contract = b, .canary = true});
  }
  return all;
}

std::string beside_program(std::string_view module) {
  char path[PATH_MAX];
  THREADREF_CHECK_ERRNO(realpath("/proc/self/exe", path) != nullptr, "realpath of the program");
  const std::string_view program(path);
  return testing::concat(program.substr(0, program.rfind('/') + 1), module, ".so");
}

const mechanism& mechanism_of(std::string_view name) {
  if (const mechanism* m = backend_mechanism(name)) return *m;
  if (const mechanism* m = canary_mechanism(name)) return *m;
  const std::string module = beside_program(testing::concat("stress_", name));
  void* const handle = dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  using getter = const mechanism* (*)();
  const auto get = handle == nullptr
                       ? nullptr
                       : reinterpret_cast<getter>(dlsym(handle, "threadref_stress_mechanism"));
  if (get == nullptr) {
    std::fprintf(stderr, "%s can't be loaded: %s\n", module.c_str(), dlerror());
    std::_Exit(testing::status_crashed);
  }
  return *get();
}

}  // namespace threadref::stress
