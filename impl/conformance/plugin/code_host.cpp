// SPDX-License-Identifier: MIT
// J 92 and 93. A program that links the library; its plugin has finalizers. Each check and back end
// gets a process of its own.
//
// usage: code_host CHECK BACKEND PLUGIN
// exit status: 0 fine · 1 wrong use · 3 a check failed, or it crashed
#include <array>
#include <cstdio>
#include <deque>
#include <latch>
#include <string_view>
#include <thread>
#include <vector>

#include "conformance/harness/check_line.hpp"
#include "conformance/plugin/loaded.hpp"
#include "threadref/threadref.hpp"

namespace {

using namespace threadref;
using namespace threadref::conformance;

// A thread with finalizers of the host, of the plugin and of the host again.
template <backend B>
class worker {
 public:
  worker(const plugin_interface& plugin, plugin_tally& tally)
      : thread_([this, &plugin, &tally] {
          add(1);
          THREADREF_CHECK(plugin.use(B::info.name.data(), tally), "the plugin can't register");
          add(2);
          THREADREF_CHECK(register_destructor<B>(&variable_, &see) == std::error_code{},
                          "can't register");
          used_.count_down();
          go_.wait();
          variable_ = &ran_;
        }) {
    used_.wait();
  }
  // In the order of the exit: newest first, then the destructor.
  void end() {
    go_.count_down();
    thread_.join();
    THREADREF_CHECK((ran_ == std::vector<int>{3, 2, 1, 4}),
                    "the host's own finalizers ran in another order");
  }

 private:
  void add(int id) {
    finalize<B>([this, id] { ran_.push_back(id); });
    // Boxed: the search for the plugin's code looks into closures, and must not look into a box.
    if (id == 2)
      finalize<B>([this, more = std::array<void*, 8>{}] {
        ran_.push_back(more.front() == nullptr ? 3 : 0);
      });
  }
  static void see(void* ran) { static_cast<std::vector<int>*>(ran)->push_back(4); }

  static inline thread_local void* variable_ = nullptr;
  std::vector<int> ran_;
  std::latch used_{1};
  std::latch go_{1};
  std::thread thread_;
};

// A thread that is inside a finalizer of the plugin while the plugin is unloaded.
template <backend B>
class slow_runner {
 public:
  slow_runner(const plugin_interface& plugin, plugin_tally& tally, bool call)
      : thread_([=, &plugin, &tally] {
          THREADREF_CHECK(plugin.use_slow(B::info.name.data(), tally, call), "can't register");
        }) {
    const int before = call ? 1 : 0;  // the other runner
    while (tally.running == before) std::this_thread::yield();
  }
  void join() { thread_.join(); }

 private:
  std::thread thread_;
};

template <backend B>
void c093_code_of_a_plugin(const char* path) {
  plugin_tally tally;
  loaded_plugin plugin(path);
  constexpr int workers = 4;
  const counters before = stats<B>();
  std::deque<worker<B>> threads;
  for (int i = 0; i != workers; ++i) threads.emplace_back(plugin.interface(), tally);
  // Main's own too. The slow ones come last: they still run when all others are destroyed.
  THREADREF_CHECK(plugin.interface().use(B::info.name.data(), tally), "the plugin can't register");
  tally.wait_for = (workers + 1) * kinds_with_destructor;
  slow_runner<B> at_exit(plugin.interface(), tally, false);
  slow_runner<B> by_call(plugin.interface(), tally, true);

  const std::size_t count = detach_all<B>(&plugin.interface());
  THREADREF_CHECK(count == std::size_t{workers + 1} * kinds,
                  "detach_all() did not find exactly the plugin's registrations");
  THREADREF_CHECK(tally.destroyed == tally.wait_for, "some closure was not destroyed");
  THREADREF_CHECK(tally.finished == 2, "detach_all() did not wait for running finalizers");
  THREADREF_CHECK(detach_all<B>(&plugin.interface()) == 0, "detach_all() left a registration");
  at_exit.join();
  by_call.join();
  plugin.close();
  THREADREF_CHECK(!plugin.is_there(), "the plugin stays loaded, so nothing was tested");

  for (worker<B>& w : threads) w.end();
  THREADREF_CHECK(tally.ran == 0, "a destroyed finalizer ran");
  const counters now = stats<B>();
  THREADREF_CHECK(now.detached - before.detached == count,
                  "the destroyed finalizers were not counted as detached");
  THREADREF_CHECK(
      now.registered - before.registered == now.ran_at_exit - before.ran_at_exit + count + 1,
      "the counts do not add up");
  fork_once();
}

template <backend B>
void c092_code_that_registers_stays(const char* path) {
  plugin_tally tally;
  loaded_plugin plugin(path);
  std::latch used(1);
  std::latch go(1);
  std::thread thread([&] {
    THREADREF_CHECK(plugin.interface().use(B::info.name.data(), tally),
                    "the plugin can't register");
    used.count_down();
    go.wait();
  });
  used.wait();
  plugin.close();
  THREADREF_CHECK(plugin.is_there(), "the plugin was unloaded while a thread needs it");
  THREADREF_CHECK(tally.ran == 0, "a finalizer ran early");
  go.count_down();
  thread.join();
  THREADREF_CHECK(tally.ran == kinds, "some finalizer did not run exactly once");
  THREADREF_CHECK(tally.destroyed == kinds_with_destructor, "some closure was not destroyed");

  // Nobody else has it open.
  THREADREF_CHECK(plugin.interface().detach_itself(B::info.name.data()) == 0,
                  "something is still pending");
  THREADREF_CHECK(plugin.is_there(), "the plugin was unloaded under its own call");
  THREADREF_CHECK(detach_all<B>(&plugin.interface()) == 0, "something is pending again");
  THREADREF_CHECK(!plugin.is_there(), "the plugin stays loaded after detach_all()");
  fork_once();
}

template <backend B>
void c093_exit_nodes_of_the_caller(const char* path) {
  plugin_tally tally;
  loaded_plugin plugin(path);
  const auto count_ours = [](void* to) { ++*static_cast<int*>(to); };
  int ours_ran = 0;
  std::thread([&] {
    std::array<basic_exit_node<B>, 3> theirs;
    basic_exit_node<B> ours;
    constexpr exit_phase phases[] = {exit_phase::early, exit_phase::last, exit_phase::very_last};
    bool attached = ours.attach(count_ours, &ours_ran) == std::errc{};
    for (std::size_t i = 0; i != theirs.size(); ++i) {
      attached =
          theirs[i].attach(plugin.interface().count, &tally, phases[i]) == std::errc{} && attached;
    }
    THREADREF_CHECK(attached, "a node can't be attached");
    const counters before = stats<B>();
    THREADREF_CHECK(detach_all<B>(&plugin.interface()) == theirs.size(),
                    "detach_all() did not find exactly the plugin's exit_nodes");
    THREADREF_CHECK(stats<B>().detached - before.detached == theirs.size(),
                    "they were not counted as detached");
    for (const auto& node : theirs) THREADREF_CHECK(!node.is_attached(), "one is still attached");
    THREADREF_CHECK(ours.detach() == std::errc{}, "it detached the host's own");
  }).join();
  THREADREF_CHECK(tally.ran == 0 && ours_ran == 0, "a detached exit_node ran");
  plugin.close();
}

template <backend B>
struct check {
  std::string_view name;
  void (*run)(const char* path);
};
template <backend B>
constexpr check<B> checks[] = {
    {"c092_code_that_registers_stays", &c092_code_that_registers_stays<B>},
    {"c093_code_of_a_plugin", &c093_code_of_a_plugin<B>},
    {"c093_exit_nodes_of_the_caller", &c093_exit_nodes_of_the_caller<B>},
};

}  // namespace

int main(int argc, char** argv) {
  using namespace threadref::testing;
  bool done = false;
  for_each_type(backends{}, [&]<class B>() {
    if (argc != 4 || B::info.name != argv[2]) return;
    for (const check<B>& c : checks<B>) {
      if (c.name != argv[1]) continue;
      c.run(argv[3]);
      conformance::print_check(c.name, B::info);
      done = true;
    }
  });
  if (!done) std::fprintf(stderr, "usage: code_host CHECK BACKEND PLUGIN\n");
  return done ? status_fine : status_wrong_use;
}
