// SPDX-License-Identifier: MIT
#include "stress/matrix/child/loaded.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <utility>

#include "stress/matrix/model/participants.hpp"
#include "stress/modules/modules.hpp"
#include "stress/peers/peer.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

void (*constructor_hook)() = nullptr;
void (*destructor_hook)() = nullptr;

// The file stays open: the loader knows an object by its path, which has the descriptor's number,
// and another file could get that number.
std::string copy_module(std::string_view module) {
  const int from = open(beside_program(module).c_str(), O_RDONLY | O_CLOEXEC);
  THREADREF_CHECK_ERRNO(from >= 0, "open of a module");
  const int to = memfd_create("threadref_module", MFD_CLOEXEC);
  THREADREF_CHECK_ERRNO(to >= 0, "memfd_create");
  ssize_t copied = 0;
  constexpr std::size_t at_once = 1 << 20;
  while ((copied = sendfile(to, from, nullptr, at_once)) > 0) {
  }
  THREADREF_CHECK_ERRNO(copied == 0, "sendfile");
  close(from);
  return testing::concat("/proc/self/fd/", to);
}

}  // namespace

loaded_object::loaded_object(std::string_view module)
    : loaded_object(at_path{beside_program(module)}) {}

loaded_object::loaded_object(at_path where)
    : path_(std::move(where.path)), handle_(dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  THREADREF_CHECK(handle_ != nullptr, dlerror());
}

loaded_object loaded_object::copy_of(std::string_view module) {
  return loaded_object(at_path{copy_module(module)});
}

std::optional<loaded_object> loaded_object::in_own_namespace(std::string_view module) {
  std::string path = beside_program(module);
  void* const handle = dlmopen(LM_ID_NEWLM, path.c_str(), RTLD_NOW);
  if (handle == nullptr) return std::nullopt;
  return loaded_object(std::move(path), handle);
}

bool loaded_object::can_copy(std::string_view module) {
  return dlopen(copy_module(module).c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr;
}

void* loaded_object::find(const char* symbol) const {
  return dlsym(handle_, symbol);
}

void loaded_object::close() const {
  THREADREF_CHECK(dlclose(handle_) == 0, "dlclose of a module");
}

bool loaded_object::is_mapped() const {
  const auto is_it = [](dl_phdr_info* object, std::size_t /*size*/, void* path) {
    return static_cast<int>(*static_cast<const std::string*>(path) == object->dlpi_name);
  };
  return dl_iterate_phdr(is_it, const_cast<std::string*>(&path_)) != 0;
}

bool has_module(std::string_view module) {
  return access(beside_program(module).c_str(), R_OK) == 0;
}

std::string module_with(std::string_view mechanism) {
  const bool is_peer =
      backend_mechanism(mechanism) == nullptr && canary_mechanism(mechanism) == nullptr;
  return is_peer ? testing::concat("stress_", mechanism) : "stress_backends";
}

const mechanism& mechanism_in(const loaded_object& object, std::string_view name) {
  if (auto* const own =
          object.function<decltype(threadref_stress_mechanism)>("threadref_stress_mechanism"))
    return *own();
  auto* const of =
      object.function<decltype(threadref_stress_mechanism_of)>("threadref_stress_mechanism_of");
  THREADREF_CHECK(of != nullptr, "a module offers no mechanism");
  const mechanism* const found = of(std::string(name).c_str());
  THREADREF_CHECK(found != nullptr, "the module of the back ends has no mechanism of that name");
  return *found;
}

void set_constructor_hook(void (*hook)()) {
  constructor_hook = hook;
}

void set_destructor_hook(void (*hook)()) {
  destructor_hook = hook;
}

}  // namespace threadref::stress

void threadref_stress_constructed() {
  if (threadref::stress::constructor_hook != nullptr) threadref::stress::constructor_hook();
}

void threadref_stress_destroyed() {
  if (threadref::stress::destructor_hook != nullptr) threadref::stress::destructor_hook();
}
