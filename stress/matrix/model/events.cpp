// SPDX-License-Identifier: MIT
#include "stress/matrix/model/events.hpp"

#include "stress/matrix/model/event.hpp"

namespace threadref::stress {

namespace {

constexpr event_group groups[] = {
    &end_events,
    &cancel_events,
    &result_events,
    &error_events,
    &late_events,
    &order_events,
    &cross_events,
    &identity_events,
    &process_events,
    &process_stage_events,
    &fork_events,
    &unload_events,
    &unload_calls_events,
    &env_events,
    &env_inside_events,
    &env_pools_events,
    &limits_events,
    &value_events,
    &fault_events,
    &threading_events,
    &threading_waits_events,
    &threading_locks_events,
    &worker_events,
    &worker_ends_events,
    &worker_tree_events,
    &worker_mail_events,
    &worker_process_events,
};

}  // namespace

std::span<const event_group> event_groups() {
  return groups;
}

}  // namespace threadref::stress
