// SPDX-License-Identifier: MIT
// A plugin as its host has it.
#pragma once

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/plugin/plugin.hpp"
#include "testing/check.hpp"

namespace threadref::conformance {

class loaded_plugin {
 public:
  // `where`: the link-map namespace that it is loaded into.
  explicit loaded_plugin(const char* path, Lmid_t where = LM_ID_BASE)
      : path_(path), object_(dlmopen(where, path, RTLD_NOW)) {
    THREADREF_CHECK(object_ != nullptr, dlerror());
    interface_ = static_cast<const plugin_interface*>(dlsym(object_, plugin_symbol));
    THREADREF_CHECK(interface_ != nullptr, "the plugin does not export its interface");
  }
  [[nodiscard]] const plugin_interface& interface() const noexcept { return *interface_; }
  void close() const { THREADREF_CHECK(dlclose(object_) == 0, "dlclose failed"); }
  // Is its code still loaded? May be asked after close(), too.
  [[nodiscard]] bool is_there() const noexcept {
    void* again = dlopen(path_, RTLD_NOW | RTLD_NOLOAD);
    if (again != nullptr) dlclose(again);
    return again != nullptr;
  }

 private:
  const char* path_;
  void* object_;
  const plugin_interface* interface_ = nullptr;
};

// This would call fork() handlers whose code is unloaded.
inline void fork_once() {
  const pid_t child = fork();
  THREADREF_CHECK_ERRNO(child >= 0, "fork");
  if (child == 0) _exit(0);
  int status = -1;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  THREADREF_CHECK(status == 0, "the child of a fork after dlclose() crashed");
}

}  // namespace threadref::conformance
