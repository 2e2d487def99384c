// SPDX-License-Identifier: MIT
// Shared objects that were built with this program, and lie beside it.
#pragma once

#include <string>

namespace threadref::bench {

// Both throw std::runtime_error with what failed.
std::string contents_of_object(const std::string& file);
void* open_object(const std::string& path);
void* symbol_in(void* object, const char* name);

// The path of a file in the folder that this program lies in.
std::string beside_program(const std::string& file);

}  // namespace threadref::bench
