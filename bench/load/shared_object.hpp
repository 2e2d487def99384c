// SPDX-License-Identifier: MIT
// Shared objects that were built with this program and are in the same directory.
#pragma once

#include <string>

namespace threadref::bench {

// All three throw std::runtime_error that says what failed.
std::string contents_of_object(const std::string& file);
void* open_object(const std::string& path);
void* symbol_in(void* object, const char* name);

// The path of a file in the directory of this program.
std::string beside_program(const std::string& file);

}  // namespace threadref::bench
