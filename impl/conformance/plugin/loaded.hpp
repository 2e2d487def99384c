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
  explicit loaded_plugin(const char* path) : path_(path), object_(dlopen(path, RTLD_NOW)) {
    THREADREF_CHECK(object_ != nullptr, dlerror());
    face_ = static_cast<const plugin_face*>(dlsym(object_, plugin_symbol));
    THREADREF_CHECK(face_ != nullptr, "the plugin offers nothing");
  }
  [[nodiscard]] const plugin_face& face() const noexcept { return *face_; }
  void close() const { THREADREF_CHECK(dlclose(object_) == 0, "dlclose failed"); }
  // Also after close(): is its code still there?
  [[nodiscard]] bool is_there() const noexcept {
    void* again = dlopen(path_, RTLD_NOW | RTLD_NOLOAD);
    if (again != nullptr) dlclose(again);
    return again != nullptr;
  }

 private:
  const char* path_;
  void* object_;
  const plugin_face* face_ = nullptr;
};

// Handlers of fork() that belong to code which is gone would be called here.
inline void fork_once() {
  const pid_t child = fork();
  THREADREF_CHECK_ERRNO(child >= 0, "fork");
  if (child == 0) _exit(0);
  int status = -1;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  THREADREF_CHECK(status == 0, "the child of a fork after dlclose() crashed");
}

}  // namespace threadref::conformance
