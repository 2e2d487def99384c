// SPDX-License-Identifier: MIT
// Shared objects that an event opens and closes itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stress/matrix/model/mechanism.hpp"

namespace threadref::stress {

class loaded_object {
 public:
  // A module beside the program. If it can't be loaded, the program ends with a message.
  explicit loaded_object(std::string_view module);
  // A copy of it, which the loader takes for another object.
  static loaded_object copy_of(std::string_view module);
  // The module, in a link-map namespace of its own, where it has its own C library. Empty: the
  // loader can't.
  static std::optional<loaded_object> in_own_namespace(std::string_view module);
  // Loads such a copy, which stays loaded; false: the loader can't.
  static bool can_copy(std::string_view module);

  // Null: there is no such symbol.
  template <class Function>
  Function* function(const char* symbol) const {
    return reinterpret_cast<Function*>(find(symbol));
  }
  void close() const;
  // Is its code still mapped? Callable after close(). It does not have the loader look for what it
  // could unload, as opening the object again would.
  [[nodiscard]] bool is_mapped() const;

 private:
  struct at_path {
    std::string path;
  };
  explicit loaded_object(at_path where);
  loaded_object(std::string path, void* handle) : path_(std::move(path)), handle_(handle) {}
  [[nodiscard]] void* find(const char* symbol) const;
  std::string path_;
  void* handle_;
};

// Is there such a module? Some depend on packages.
bool has_module(std::string_view module);

// The module with that mechanism: a peer's own, or that of the back ends, which has a copy of the
// library.
std::string module_with(std::string_view mechanism);
const mechanism& mechanism_in(const loaded_object& object, std::string_view name);

// The module stress_constructor calls them while it is being loaded, and unloaded. Null: nothing.
void set_constructor_hook(void (*hook)());
void set_destructor_hook(void (*hook)());

}  // namespace threadref::stress
