// SPDX-License-Identifier: MIT
// The groups of the table of events: one a file in events/.
#pragma once

#include <span>

#include "stress/matrix/model/event.hpp"

namespace threadref::stress {

std::span<const event> end_events();
std::span<const event> cancel_events();
std::span<const event> result_events();
std::span<const event> error_events();
std::span<const event> late_events();
std::span<const event> order_events();
std::span<const event> cross_events();
std::span<const event> identity_events();
std::span<const event> process_events();
std::span<const event> process_stage_events();
std::span<const event> fork_events();
std::span<const event> unload_events();
std::span<const event> unload_calls_events();
std::span<const event> env_events();
std::span<const event> env_inside_events();
std::span<const event> env_pools_events();
std::span<const event> limits_events();
std::span<const event> value_events();
std::span<const event> fault_events();
std::span<const event> worker_events();
std::span<const event> worker_ends_events();
std::span<const event> worker_tree_events();
std::span<const event> worker_mail_events();
std::span<const event> worker_process_events();
std::span<const event> threading_events();
std::span<const event> threading_waits_events();
std::span<const event> threading_locks_events();

}  // namespace threadref::stress
