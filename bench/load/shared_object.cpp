// SPDX-License-Identifier: MIT
#include "bench/load/shared_object.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace threadref::bench {

namespace {

constexpr const char* how_to_build = "; build it with the target bench_plugins";

[[noreturn]] void fail_to_load() {
  const char* const why = dlerror();
  throw std::runtime_error(std::string(why != nullptr ? why : "can't load a shared object") +
                           how_to_build);
}

}  // namespace

std::string contents_of_object(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (bytes.empty()) throw std::runtime_error(file + " can't be read" + how_to_build);
  return bytes;
}

void* open_object(const std::string& path) {
  void* const object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) fail_to_load();
  return object;
}

void* symbol_in(void* object, const char* name) {
  void* const found = dlsym(object, name);
  if (found == nullptr) fail_to_load();
  return found;
}

std::string beside_program(const std::string& file) {
  return std::filesystem::read_symlink("/proc/self/exe").replace_filename(file).string();
}

}  // namespace threadref::bench
