// SPDX-License-Identifier: MIT
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "stress/modules/modules.hpp"

namespace {

using boost::asio::thread_pool;

constexpr threadref::stress::pool_interface exported{
    .start = [](int workers) -> void* { return new thread_pool(static_cast<unsigned>(workers)); },
    .enqueue =
        [](void* pool, int workers, void (*task)(void*), void* with) {
          for (int i = 0; i != workers; ++i)
            boost::asio::post(*static_cast<thread_pool*>(pool), [task, with] { task(with); });
        },
    .end =
        [](void* pool) {
          auto* const all = static_cast<thread_pool*>(pool);
          all->join();
          delete all;
          return true;
        }};

}  // namespace

const threadref::stress::pool_interface* threadref_stress_pool() {
  return &exported;
}
