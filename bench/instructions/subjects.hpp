// SPDX-License-Identifier: MIT
// Of whom instructions are counted: the subjects of the timed rows.
#pragma once

#include "baselines/peers.hpp"
#include "bodies/exit.hpp"
#include "bodies/registration.hpp"
#include "subject.hpp"
#include "threadref/backends.hpp"
#include "threadref/type_list.hpp"

namespace threadref::bench::instructions {

// Calls f.template operator()<S>() for each. What one can't do, can_do says.
template <class F>
void for_each_subject(F&& f) {
  for_each_type(backends{}, [&f]<backend B>() { f.template operator()<library<B>>(); });
  for_each_type(peers{}, f);
  for_each_type(body<id::registration>::floors{}, f);
  for_each_type(body<id::exit_solo>::floors{}, f);
}

}  // namespace threadref::bench::instructions
