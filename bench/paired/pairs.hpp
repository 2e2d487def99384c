// SPDX-License-Identifier: MIT
// paired/<A>_vs_<B>/<quantity>/n:<n>: two subjects in turns, and the ratio of B to A.
#pragma once

#include <optional>
#include <string>

#include "bench/harness/session.hpp"

namespace threadref::bench {

// The pair that --pair asks for, with the controls of both sides: each with itself (time noise) and
// with its clone (layout). Gives a sentence when there is no such subject or quantity.
std::optional<std::string> register_pair(session& session);

// The controls of every subject and floor; and every back end beside itself with 4 % more work,
// which must be noticed.
void register_control_pairs(session& session);

}  // namespace threadref::bench
