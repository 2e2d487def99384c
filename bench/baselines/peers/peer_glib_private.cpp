// SPDX-License-Identifier: MIT
#include <glib.h>

#include <string_view>

#include "bench/baselines/peers/linked_list.hpp"
#include "bench/subjects/make_code.hpp"
#include "bench/timing/probe.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

struct peer_glib_private {
  static constexpr std::string_view name = "peer_glib_private";
  static constexpr std::string_view summary =
      "a list in a GLib GPrivate, whose GDestroyNotify runs it";
  static constexpr std::string_view lacks =
      "takes none out again, and asks malloc for each; GLib ends the program when memory is out";

  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* stored) {
    auto* const made = g_new(linked_entry, 1);
    *made = {{&run_state<C>, stored}, static_cast<linked_entry*>(g_private_get(&list_))};
    g_private_set(&list_, made);
  }

 private:
  static inline constinit GPrivate list_ = G_PRIVATE_INIT(&run_linked<&g_free>);
};

const subject_code& code_of_peer_glib_private() {
  static const subject_code code = make_code<peer_glib_private, scope::rows>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
