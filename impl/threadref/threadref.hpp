// SPDX-License-Identifier: MIT
// Everything: weak references to threads, finalizers, identity, counters, the report of errors.
#pragma once

#include "threadref/backends.hpp"
#include "threadref/finalize.hpp"
#include "threadref/ref.hpp"
#include "threadref/stats.hpp"
#include "threadref/thread_info.hpp"
#include "threadref/unraisable.hpp"
