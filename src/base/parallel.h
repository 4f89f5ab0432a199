#pragma once
// Many blocking calls at once, in bounded number. Knows nothing of what they do.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

namespace stsctl {

/// Calls `work(item)` for every item, at most `width` at a time (0 counts as 1), and returns the
/// results in the order of the items. `work` must not throw: a failure is part of its result.
/// Once `stop` is requested no further item is started; those come back as nullopt. If the system
/// grants fewer threads than asked for, the ones granted do the work.
template <class Item, class Work>
auto parallel_map(const std::vector<Item>& items, std::size_t width, const std::stop_token& stop,
                  Work work) {
  using Out = std::invoke_result_t<Work&, const Item&>;
  std::vector<std::optional<Out>> out(items.size());
  std::atomic<std::size_t> next{0};
  auto run = [&] {
    for (std::size_t i = next++; i < items.size() && !stop.stop_requested(); i = next++)
      out[i].emplace(work(items[i]));
  };
  std::vector<std::jthread> helpers;
  const std::size_t wanted = std::min(width, items.size());
  try {
    for (std::size_t n = 1; n < wanted; ++n)
      helpers.emplace_back(run);
  } catch (const std::system_error&) {
    // The thread limit of the system: go on with those we have.
  }
  run();
  helpers.clear();  // joins
  return out;
}

}  // namespace stsctl
