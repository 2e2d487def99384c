// SPDX-License-Identifier: MIT
// H 84, J 92 and 94. A program that does not link the library; its plugins have copies. Each check
// and back end gets a process of its own.
//
// usage: plugin_host CHECK BACKEND PLUGIN [PLUGIN]
// exit status: 0 fine · 1 wrong use · 3 a check failed, or it crashed
#include <array>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <string>
#include <string_view>
#include <thread>

#include "conformance/plugin/loaded.hpp"
#include "testing/scale.hpp"

namespace {

using namespace threadref::conformance;

// A thread that has used the plugin, and runs until end().
class user {
 public:
  user(const plugin_interface& plugin, const char* backend, plugin_tally& tally)
      : thread_([this, &plugin, backend, &tally] {
          THREADREF_CHECK(plugin.use(backend, tally), "the plugin can't register");
          used_.count_down();
          go_.wait();
        }) {
    used_.wait();
  }
  void end() {
    go_.count_down();
    thread_.join();
  }

 private:
  std::latch used_{1};
  std::latch go_{1};
  std::thread thread_;
};

void expect_all_ran(const plugin_tally& tally) {
  THREADREF_CHECK(tally.ran == kinds, "some finalizer did not run exactly once");
  THREADREF_CHECK(tally.destroyed == kinds_with_destructor, "some closure was not destroyed");
}

void c092_the_copy_pins_itself(const char* backend, const char* path) {
  plugin_tally tally;
  loaded_plugin plugin(path);
  user worker(plugin.interface(), backend, tally);
  plugin.close();
  THREADREF_CHECK(plugin.is_there(), "the plugin was unloaded");
  THREADREF_CHECK(tally.ran == 0, "a finalizer ran early");
  worker.end();
  expect_all_ran(tally);
  fork_once();
}

// Main's exit stage comes before what main gave to atexit(), also if another thread loaded the copy
// before that.
void c084_main_registers_after_a_late_load(const char* backend, const char* path) {
  static plugin_tally tally;
  static const loaded_plugin* plugin = nullptr;
  std::thread([path] { plugin = new loaded_plugin(path); }).join();
  THREADREF_CHECK(std::atexit([] { expect_all_ran(tally); }) == 0, "atexit");
  THREADREF_CHECK(plugin->interface().use(backend, tally), "the plugin can't register");
}

// Two plugins with copies that export all names: of one version, or of two whose types differ.
void c092_two_copies_are_apart(const char* backend, const char* path, const char* other) {
  plugin_tally tallies[2];
  const loaded_plugin first(path);
  const loaded_plugin second(other);
  std::thread([&] {
    THREADREF_CHECK(first.interface().use(backend, tallies[0]), "the first can't register");
    THREADREF_CHECK(second.interface().use(backend, tallies[1]), "the second can't register");
  }).join();
  for (const plugin_tally& tally : tallies) expect_all_ran(tally);
  for (const loaded_plugin* plugin : {&first, &second}) {
    THREADREF_CHECK(plugin->interface().registered(backend) == std::uint64_t{kinds},
                    "a copy has records of the other");
  }
  fork_once();
}

void c092_not_in_a_namespace_of_its_own(const char* backend, const char* path) {
  plugin_tally tally;
  plugin_tally tally_of_program;
  const loaded_plugin plugin(path, LM_ID_NEWLM);
  const loaded_plugin of_program(path);
  std::thread([&] {
    // So its keys have values on this thread, which are not the other copy's.
    THREADREF_CHECK(of_program.interface().use(backend, tally_of_program), "it can't register");
    THREADREF_CHECK(
        plugin.interface().try_one(backend, tally) == std::errc::operation_not_supported,
        "a copy that is never told of a thread's end accepts a registration");
  }).join();
  THREADREF_CHECK(tally.ran == 0, "a refused finalizer ran");
  expect_all_ran(tally_of_program);
}

// The plugin is one file with the library: see fibers.cpp.
void c133_a_fiber_that_moves(const char* /*backend*/, const char* path) {
  void* const object = dlopen(path, RTLD_NOW);
  THREADREF_CHECK(object != nullptr, dlerror());
  auto* const right = reinterpret_cast<bool (*)()>(dlsym(object, "threadref_fibers"));
  THREADREF_CHECK(right != nullptr, "the plugin does not export its function");
  THREADREF_CHECK(right(), "a fiber registered on a thread that it had left");
}

std::size_t free_keys() {
  std::array<pthread_key_t, PTHREAD_KEYS_MAX> keys{};
  std::size_t count = 0;
  while (count != keys.size() && pthread_key_create(&keys[count], nullptr) == 0) ++count;
  for (std::size_t i = 0; i != count; ++i) THREADREF_CHECK_CALL(pthread_key_delete(keys[i]));
  return count;
}

// Loads and unloads the plugin on a thread that then ends.
void load_use_and_unload(const char* backend, const char* path) {
  plugin_tally tally;
  std::thread([&] {
    loaded_plugin plugin(path);
    user worker(plugin.interface(), backend, tally);
    worker.end();
    expect_all_ran(tally);
    THREADREF_CHECK(plugin.interface().unload() == 0,
                    "unload() found a registration that should have run");
    plugin.close();
    THREADREF_CHECK(!plugin.is_there(), "the plugin stays loaded");
  }).join();
}

void c094_again_and_again(const char* backend, const char* path) {
  load_use_and_unload(backend, path);  // libraries that it needs may stay, and keep their keys
  const std::size_t before = free_keys();
  for (int i = 0; i != threadref::testing::scaled(2'000); ++i) load_use_and_unload(backend, path);
  THREADREF_CHECK(free_keys() == before, "unloading the plugin leaks a pthread key");
  fork_once();
}

void c094_a_thread_outlives_its_library(const char* backend, const char* path) {
  plugin_tally tally;
  loaded_plugin plugin(path);
  // Copied: the text belongs to the plugin.
  const char* const reason = plugin.interface().why_still_loaded(backend);
  const std::string why = reason != nullptr ? reason : "";
  user worker(plugin.interface(), backend, tally);
  THREADREF_CHECK(plugin.interface().unload() == std::size_t{kinds},
                  "unload() did not find every registration");
  THREADREF_CHECK(tally.destroyed == kinds_with_destructor, "some closure was not destroyed");
  plugin.close();
  THREADREF_CHECK(plugin.is_there() == !why.empty(),
                  "the plugin is still loaded and should not be, or the other way round");
  if (!why.empty()) std::printf("still loaded: %s\n", why.c_str());
  fork_once();
  worker.end();
  THREADREF_CHECK(tally.ran == 0, "a destroyed finalizer ran");
  fork_once();
}

// The thread's exit handlers run after the unload; again none of the plugin's code may be left.
void c094_the_thread_that_unloads_has_used_it(const char* backend, const char* path) {
  plugin_tally tally;
  loaded_plugin plugin(path);
  std::thread([&] {
    THREADREF_CHECK(plugin.interface().use(backend, tally), "the plugin can't register");
    THREADREF_CHECK(plugin.interface().unload() == std::size_t{kinds},
                    "unload() did not find every registration");
    THREADREF_CHECK(tally.destroyed == kinds_with_destructor, "some closure was not destroyed");
    plugin.close();
    fork_once();
  }).join();
  THREADREF_CHECK(tally.ran == 0, "a destroyed finalizer ran");
  fork_once();
}

struct check {
  std::string_view name;
  void (*run)(const char* backend, const char* path);
};
constexpr check checks[] = {
    {"c092_the_copy_pins_itself", &c092_the_copy_pins_itself},
    {"c084_main_registers_after_a_late_load", &c084_main_registers_after_a_late_load},
    {"c092_not_in_a_namespace_of_its_own", &c092_not_in_a_namespace_of_its_own},
    {"c133_a_fiber_that_moves", &c133_a_fiber_that_moves},
    {"c094_again_and_again", &c094_again_and_again},
    {"c094_a_thread_outlives_its_library", &c094_a_thread_outlives_its_library},
    {"c094_the_thread_that_unloads_has_used_it", &c094_the_thread_that_unloads_has_used_it},
};
struct check_of_two {
  std::string_view name;
  void (*run)(const char* backend, const char* path, const char* other);
};
constexpr check_of_two checks_of_two[] = {
    {"c092_two_copies_are_apart", &c092_two_copies_are_apart},
    {"c092_two_versions_are_apart", &c092_two_copies_are_apart},
};

bool run_check(int argc, char** argv) {
  for (const check& c : checks) {
    if (argc != 4 || c.name != argv[1]) continue;
    c.run(argv[2], argv[3]);
    return true;
  }
  for (const check_of_two& c : checks_of_two) {
    if (argc != 5 || c.name != argv[1]) continue;
    c.run(argv[2], argv[3], argv[4]);
    return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace threadref::testing;
  if (!run_check(argc, argv)) {
    std::fprintf(stderr, "usage: plugin_host CHECK BACKEND PLUGIN [PLUGIN]\n");
    return status_wrong_use;
  }
  std::printf("check %s %s: passed\n", argv[1], argv[2]);
  return status_fine;
}
