// SPDX-License-Identifier: MIT
// E. Exceptions: one that a finalizer throws at exit is reported, and the rest run.
#include <pthread.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/harness/incidents.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(exceptions);

// Shows: F-17.
TYPED_TEST(exceptions, c046_one_of_many_throws_and_all_others_run) {
  const captured_incidents incidents;
  std::uint64_t serial = 0;
  this->run([&serial](auto& me) {
    serial = current<TypeParam>().serial();
    for (int i = 0; i != 10; ++i) {
      if (i == 4) {
        me.add_and([] { throw std::runtime_error("the fifth"); });
      } else {
        me.add();
      }
    }
  });
  const reported_incident it = incidents.only();
  EXPECT_EQ(it.serial, serial);
  EXPECT_EQ(it.kind, incident::threw);
  EXPECT_EQ(it.what, "the fifth");
  EXPECT_EQ(this->delta().ran_at_exit, 10U);
}

TYPED_TEST(exceptions, c047_what_is_thrown_need_not_be_a_std_exception) {
  const captured_incidents incidents;
  this->run([](auto& me) {
    me.add();
    me.add_and([] { throw 47; });
    me.add();
  });
  EXPECT_EQ(incidents.only().what, "unknown");
}

// Shows: R-20.
TYPED_TEST(exceptions, c047_a_ref_callback_that_throws_is_reported_too) {
  const captured_incidents incidents;
  std::optional<basic_ref<TypeParam>> r;
  this->run([&r](auto& me) {
    me.add();
    r.emplace([](const auto& /*self*/) { throw std::runtime_error("callback"); });
    me.add();
  });
  EXPECT_EQ(incidents.only().what, "callback");
}

// Shows: F-17.
TYPED_TEST(exceptions, c049_without_a_hook_it_is_a_line_on_stderr) {
  ::testing::internal::CaptureStderr();
  std::string who;
  os_thread([&who] {
    pthread_setname_np(pthread_self(), "c049");
    const thread_handle me = current<TypeParam>();
    who = " (tid " + std::to_string(me.tid()) + ", serial " + std::to_string(me.serial()) + "): ";
    finalize<TypeParam>([] { throw std::runtime_error("nobody catches it"); });
    finalize<TypeParam>([me] { EXPECT_EQ(me.name(), "c049"); });
    finalize<TypeParam>([] { throw 49; });
  }).join();
  const std::string text = ::testing::internal::GetCapturedStderr();
  const std::string before = "threadref: at the exit of ";
  EXPECT_EQ(text, before + "a thread" + who +
                      "a finalizer threw something that is not a std::exception\n" + before +
                      "thread 'c049'" + who + "a finalizer threw: nobody catches it\n");
}

// A limit can be exceeded by a thread; another way to leave something is to end unheard.
TYPED_TEST(exceptions, c049_without_a_hook_each_kind_has_its_own_line) {
  const auto report_of = [](incident kind) {
    ::testing::internal::CaptureStderr();
    os_thread([kind] {
      static_cast<void>(current<TypeParam>());
      detail::report(*TypeParam::list::own(), nullptr, kind);
    }).join();
    const std::string text = ::testing::internal::GetCapturedStderr();
    return text.substr(std::min(text.find("): "), text.size()));
  };
  EXPECT_EQ(report_of(incident::abandoned),
            "): pending finalizers were abandoned: it exceeded a limit of options\n");
  EXPECT_EQ(report_of(incident::missed),
            "): pending finalizers were abandoned: it ended without running its exit hooks\n");
  EXPECT_EQ(report_of(incident::node_destroyed),
            "): an exit_node in a thread_local was destroyed before its turn, uncalled\n");
}

// Throws when it is destroyed, once: a moved-from one does not.
struct throws_at_end {
  explicit throws_at_end(const char* with) : what(std::make_unique<std::string>(with)) {}
  throws_at_end(throws_at_end&&) noexcept = default;
  throws_at_end(const throws_at_end&) = delete;
  throws_at_end& operator=(const throws_at_end&) = delete;
  ~throws_at_end() noexcept(false) {  // NOLINT(bugprone-exception-escape): that is its purpose
    if (const auto mine = std::move(what)) throw std::runtime_error(*mine);
  }
  std::unique_ptr<std::string> what;
};

TYPED_TEST(exceptions, c050_the_destructor_of_an_argument_throws) {
  const captured_incidents incidents;
  int runs = 0;
  this->run([&runs](auto& me) {
    me.add();
    finalize<TypeParam>([&runs](const throws_at_end& /*unused*/) { ++runs; },
                        throws_at_end("at its end"));
    me.add();
  });
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(incidents.only().what, "at its end");
}

TYPED_TEST(exceptions, c050_both_the_run_and_the_destructor_throw) {
  const captured_incidents incidents;
  this->run([](auto& me) {
    me.add();
    finalize<TypeParam>(
        [](const throws_at_end& /*unused*/) { throw std::runtime_error("the run"); },
        throws_at_end("at its end"));
    me.add();
  });
  EXPECT_EQ(incidents.only().what, "the run") << "the first one counts";
}

TYPED_TEST(exceptions, c051_the_bodys_own_exception_comes_first) {
  const captured_incidents incidents;
  this->run([&incidents](auto& me) {
    try {
      me.add_and([] { throw std::runtime_error("finalizer"); });
      throw std::runtime_error("body");
    } catch (const std::runtime_error& e) {
      incidents.note(e.what());
    }
  });
  const std::vector<reported_incident> all = incidents.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].what, "body");
  EXPECT_EQ(all[1].what, "finalizer");
}

// A finalizer that runs while an exception of the body is handled must not disturb it.
TYPED_TEST(exceptions, c051_a_call_inside_a_handler_leaves_its_exception_alone) {
  os_thread([] {
    const auto f = finalize<TypeParam>([] {
      try {
        throw 1;
      } catch (int) {
      }
    });
    try {
      throw std::runtime_error("outer");
    } catch (...) {
      f();
      try {
        throw;
      } catch (const std::exception& e) {
        EXPECT_STREQ(e.what(), "outer");
      }
    }
  }).join();
}

}  // namespace
}  // namespace threadref::conformance
