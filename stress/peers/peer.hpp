// SPDX-License-Identifier: MIT
// What the module of a peer exports.
#pragma once

#include "stress/matrix/model/mechanism.hpp"

extern "C" const threadref::stress::mechanism* threadref_stress_mechanism();
