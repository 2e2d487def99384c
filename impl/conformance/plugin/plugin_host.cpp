// SPDX-License-Identifier: MIT
// J 92 and 94. A program without the library, whose plugin has a copy of it. A process of its own
// for each check and back end.
//
// usage: plugin_host CHECK BACKEND PLUGIN
// exit status: 0 fine · 1 wrong use · 3 a check failed, or it crashed
#include <algorithm>
#include <array>
#include <cstdio>
#include <latch>
#include <string_view>
#include <thread>

#include "conformance/plugin/loaded.hpp"
#include "testing/scale.hpp"

namespace {

using namespace threadref::conformance;

// A thread that has used the plugin, and goes on until it is let go.
class user {
 public:
  user(const plugin_face& face, const char* backend, plugin_tally& tally)
      : thread_([this, &face, backend, &tally] {
          THREADREF_CHECK(face.use(backend, tally), "the plugin can't register");
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
  THREADREF_CHECK(tally.ran == kinds, "not each finalizer ran once");
  THREADREF_CHECK(tally.destroyed == kinds_with_destructor, "not each closure was destroyed");
}

void c092_the_copy_pins_itself(const char* backend, const char* path) {
  plugin_tally tally;
  loaded_plugin plugin(path);
  user worker(plugin.face(), backend, tally);
  plugin.close();
  THREADREF_CHECK(plugin.is_there(), "the plugin was unloaded");
  THREADREF_CHECK(tally.ran == 0, "a finalizer ran early");
  worker.end();
  expect_all_ran(tally);
  fork_once();
}

std::size_t free_keys() {
  std::array<pthread_key_t, PTHREAD_KEYS_MAX> keys{};
  std::size_t count = 0;
  while (count != keys.size() && pthread_key_create(&keys[count], nullptr) == 0) ++count;
  for (std::size_t i = 0; i != count; ++i) THREADREF_CHECK_CALL(pthread_key_delete(keys[i]));
  return count;
}

// Loaded and unloaded by a thread that ends afterwards.
void load_use_and_unload(const char* backend, const char* path) {
  plugin_tally tally;
  std::thread([&] {
    loaded_plugin plugin(path);
    user worker(plugin.face(), backend, tally);
    worker.end();
    expect_all_ran(tally);
    THREADREF_CHECK(plugin.face().unload() == 0, "something was pending");
    plugin.close();
    THREADREF_CHECK(!plugin.is_there(), "the plugin stays loaded");
  }).join();
}

void c094_again_and_again(const char* backend, const char* path) {
  load_use_and_unload(backend, path);  // what it needs of other libraries may stay, and their keys
  const std::size_t before = free_keys();
  for (int i = 0; i != testing::scaled(2'000); ++i) load_use_and_unload(backend, path);
  THREADREF_CHECK(free_keys() == before, "keys were lost");
  fork_once();
}

// What a thread that used a back end and still runs keeps of an unloaded plugin, by the nature of
// the mechanism. Of all others: nothing.
struct keeper {
  std::string_view backend;
  const char* why;
};
constexpr keeper keepers[] = {
    {"cxx_thread_local", "the C library keeps an object with pending thread_local destructors"},
    {"cxa_thread_atexit", "the C library keeps an object with pending thread_local destructors"},
    {"boost_tss", "Boost can't forget the cleanup of another thread's value"},
    {"boost_at_thread_exit", "Boost can't forget a function that a thread gave it"},
};

void c094_a_thread_outlives_its_library(const char* backend, const char* path) {
  const auto* const keeps = std::find_if(std::begin(keepers), std::end(keepers),
                                         [=](const keeper& k) { return k.backend == backend; });
  plugin_tally tally;
  loaded_plugin plugin(path);
  user worker(plugin.face(), backend, tally);
  THREADREF_CHECK(plugin.face().unload() == std::size_t{kinds}, "not all was found");
  THREADREF_CHECK(tally.destroyed == kinds_with_destructor, "not each closure was destroyed");
  plugin.close();
  THREADREF_CHECK(plugin.is_there() == (keeps != std::end(keepers)),
                  "it is loaded although nothing keeps it, or the other way round");
  if (keeps != std::end(keepers)) std::printf("still loaded: %s\n", keeps->why);
  fork_once();
  worker.end();
  THREADREF_CHECK(tally.ran == 0, "what was destroyed ran");
  fork_once();
}

// Its exit handlers run when it goes, and again nothing of it must be left.
void c094_the_thread_that_unloads_has_used_it(const char* backend, const char* path) {
  plugin_tally tally;
  loaded_plugin plugin(path);
  std::thread([&] {
    THREADREF_CHECK(plugin.face().use(backend, tally), "the plugin can't register");
    THREADREF_CHECK(plugin.face().unload() == std::size_t{kinds}, "not all was found");
    THREADREF_CHECK(tally.destroyed == kinds_with_destructor, "not each closure was destroyed");
    plugin.close();
    fork_once();
  }).join();
  THREADREF_CHECK(tally.ran == 0, "what was destroyed ran");
  fork_once();
}

struct check {
  std::string_view name;
  void (*run)(const char* backend, const char* path);
};
constexpr check checks[] = {
    {"c092_the_copy_pins_itself", &c092_the_copy_pins_itself},
    {"c094_again_and_again", &c094_again_and_again},
    {"c094_a_thread_outlives_its_library", &c094_a_thread_outlives_its_library},
    {"c094_the_thread_that_unloads_has_used_it", &c094_the_thread_that_unloads_has_used_it},
};

}  // namespace

int main(int argc, char** argv) {
  using namespace threadref::testing;
  for (const check& c : checks) {
    if (argc != 4 || c.name != argv[1]) continue;
    c.run(argv[2], argv[3]);
    std::printf("check %s %s: passed\n", argv[1], argv[2]);
    return status_fine;
  }
  std::fprintf(stderr, "usage: plugin_host CHECK BACKEND PLUGIN\n");
  return status_wrong_use;
}
