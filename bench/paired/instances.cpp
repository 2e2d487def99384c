// SPDX-License-Identifier: MIT
// Compiled twice: as it stands, and with `threadref` renamed, together with the whole library. The
// second is the clone of the first: the same source at other addresses.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bodies/ensure.hpp"
#include "bodies/exit.hpp"
#include "bodies/exit_mixed.hpp"
#include "bodies/refs.hpp"
#include "bodies/registration.hpp"
#include "bodies/taking.hpp"
#include "paired/face.hpp"
#include "threadref/backends.hpp"

namespace threadref::bench {

namespace {

using threadref_pairs::instance;
using threadref_pairs::sampler;
using threadref_pairs::subject_kind;
using threadref_pairs::timed;

template <id K, class S>
class samples_of final : public sampler {
 public:
  explicit samples_of(int n) : at_(body<K>::most(n)), n_(n) {}
  samples_of(const samples_of&) = delete;
  samples_of& operator=(const samples_of&) = delete;
  ~samples_of() override {
    if constexpr (requires { S::release(); }) S::release();
  }
  timed take() override {
    verdict found;
    const sample s = body<K>::template take<S>(at_, n_, found);
    return {s.region, s.empty, found.lost + found.doubled + found.misordered};
  }

 private:
  probe at_;
  int n_;
};

// A subject that is slower by as much work as this: what pairs must notice.
constexpr int planted(int n) {
  return n + n / 25;
}

template <id K, class S>
std::unique_ptr<sampler> open(int n) {
  return std::make_unique<samples_of<K, S>>(n);
}
template <id K, class S>
std::unique_ptr<sampler> open_planted(int n) {
  return open<K, S>(planted(n));
}

// A name of a type's own, since instances hand out views.
template <class S>
std::string_view planted_name() {
  static const std::string name = std::string(S::name).append(threadref_pairs::planted_suffix);
  return name;
}

template <id K, class S>
constexpr instance instance_of(subject_kind kind) {
  const std::string_view name = scenarios::row(K).name;
  return {S::name,
          name.substr(name.find('/') + 1),
          kind,
          &open<K, S>,
          [](int n) -> double { return body<K>::operations(n); },
          &why_not<K, S>};
}

template <id K>
void add_rows(std::vector<instance>& all) {
  if constexpr (requires { body<K>::wanted; }) {
    for_each_type(typename body<K>::floors{},
                  [&]<class S>() { all.push_back(instance_of<K, S>(subject_kind::floor)); });
    for_each_type(backends{}, [&]<class B>() {
      using S = library<B>;
      all.push_back(instance_of<K, S>(subject_kind::back_end));
      if (body<K>::operations(planted(256)) == body<K>::operations(256)) return;
      instance slower = instance_of<K, S>(subject_kind::planted);
      slower.subject = planted_name<S>();
      slower.open = &open_planted<K, S>;
      all.push_back(slower);
    });
    for_each_type(typename body<K>::peers{},
                  [&]<class S>() { all.push_back(instance_of<K, S>(subject_kind::peer)); });
  }
}

}  // namespace

std::vector<instance> instances() {
  std::vector<instance> all;
  scenarios::for_each_row<scenarios::tool::bench>([&all]<id K>() { add_rows<K>(all); });
  return all;
}

}  // namespace threadref::bench
