// SPDX-License-Identifier: MIT
#include <boost/thread/tss.hpp>
#include <string_view>

#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

struct peer_boost_tss_each {
  static constexpr std::string_view name = "peer_boost_tss_each";
  static constexpr std::string_view summary = "a boost::thread_specific_ptr for each value";
  static constexpr std::string_view lacks =
      "each value needs a variable that was there before, and a place that outlives its thread; "
      "they run in the order of the variables' addresses, here oldest first";
  // Boost has no limit, but these variables must be created in advance, next to each other.
  static constexpr int most = 8192;
  static constexpr std::string_view why_no_more = "there are 8 192 variables for it, made before";
  static constexpr bool oldest_first = true;

  static void arm(entry* storage, int /*n*/) { own_ = {variables(), storage}; }
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    entry* const place = own_.place++;
    *place = {&run_state<C>, stored};
    (own_.next++)->pointer.reset(place);
  }

 private:
  static void run(entry* place) { place->fn(place->arg); }
  struct variable {
    boost::thread_specific_ptr<entry> pointer{&run};
  };
  struct position {
    variable* next;
    entry* place;
  };
  // Never destroyed: threads may end after statics are destroyed.
  static variable* variables() {
    static auto* const all = new variable[most];
    return all;
  }
  static inline constinit thread_local position own_{};
};

const subject_code& code_of_peer_boost_tss_each() {
  static const subject_code code = make_code<peer_boost_tss_each, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
