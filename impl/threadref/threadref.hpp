// SPDX-License-Identifier: MIT
// Includes the whole C++ interface: weak references to threads, finalizers, exit nodes, registered
// destructors, identity, counters, options, error reports, unloading.
#pragma once

#include "threadref/backends.hpp"
#include "threadref/destructor.hpp"
#include "threadref/exit_node.hpp"
#include "threadref/finalize.hpp"
#include "threadref/options.hpp"
#include "threadref/phase.hpp"
#include "threadref/ref.hpp"
#include "threadref/stats.hpp"
#include "threadref/thread_info.hpp"
#include "threadref/unload.hpp"
#include "threadref/unraisable.hpp"
