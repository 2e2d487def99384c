// SPDX-License-Identifier: MIT
#include "scenarios/describe.hpp"

#include <nlohmann/json.hpp>

#include "scenarios/canaries.hpp"
#include "testing/build_info.hpp"
#include "threadref/backends.hpp"

namespace threadref::scenarios {

namespace {

using json = nlohmann::ordered_json;

json capabilities_of(const backend_info& b) {
  json names = json::array();
  if (has(b.capabilities, capability::after_thread_locals)) names.push_back("after_thread_locals");
  if (has(b.capabilities, capability::among_thread_locals)) names.push_back("among_thread_locals");
  if (has(b.capabilities, capability::interleaved)) names.push_back("interleaved");
  if (has(b.capabilities, capability::inside_malloc)) names.push_back("inside_malloc");
  return names;
}

json list_of(const size_list& sizes) {
  json list = json::array();
  for (const int s : sizes) list.push_back(s);
  return list;
}

json describe_row(const scenario& s) {
  json tools = json::array();
  if (in(s.tools, tool::bench)) tools.push_back("bench");
  if (in(s.tools, tool::stress)) tools.push_back("stress");
  json outcomes = json::array();
  for (const outcome& o : s.outcomes) {
    if (!o.name.empty())
      outcomes.push_back({{"name", o.name}, {"expect", to_string(o.expect)}, {"why", o.why}});
  }
  return {{"name", s.name},
          {"asks", s.asks},
          {"tools", tools},
          {"threads", list_of(s.threads)},
          {"finalizers", list_of(s.finalizers)},
          {"outcomes", outcomes}};
}

template <class List>
std::vector<const backend_info*> infos() {
  std::vector<const backend_info*> all;
  for_each_type(List{}, [&all]<class B>() { all.push_back(&B::info); });
  return all;
}

}  // namespace

std::vector<const backend_info*> all_backends() {
  return infos<backends>();
}
std::vector<const backend_info*> all_canaries() {
  return infos<canaries>();
}
std::vector<const backend_info*> all_rare_canaries() {
  return infos<rare_canaries>();
}

std::string describe() {
  json doc{{"schema", 1},
           {"version", testing::this_build().version},
           {"commit", testing::this_build().commit},
           {"build_type", testing::this_build().build_type},
           {"compiler", testing::this_build().compiler},
           {"default_backend", default_backend::info.name}};
  for (const char* list : {"backends", "absent", "canaries", "rare_canaries", "scenarios", "cells"})
    doc[list] = json::array();
  for (const backend_info* b : all_backends()) {
    doc["backends"].push_back(
        {{"name", b->name}, {"summary", b->summary}, {"capabilities", capabilities_of(*b)}});
  }
  for (const absent_backend& a : absent_backends) {
    if (!a.name.empty()) doc["absent"].push_back({{"name", a.name}, {"why", a.why}});
  }
  for (const backend_info* b : all_canaries())
    doc["canaries"].push_back({{"name", b->name}, {"summary", b->summary}});
  for (const backend_info* b : all_rare_canaries())
    doc["rare_canaries"].push_back({{"name", b->name}, {"summary", b->summary}});
  for (const scenario& s : table) doc["scenarios"].push_back(describe_row(s));
  for (const backend_info* b : all_backends()) {
    for (const scenario& s : table) {
      const cell c = decide(s, *b);
      json entry{{"backend", b->name}, {"scenario", s.name}, {"status", to_string(c.status)}};
      if (c.status != cell_status::run) entry["why"] = c.why;
      doc["cells"].push_back(entry);
    }
  }
  return doc.dump(2) + "\n";
}

}  // namespace threadref::scenarios
