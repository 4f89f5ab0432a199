#pragma once
// Lists as sets.

#include <algorithm>
#include <vector>

namespace stsctl {

/// Sorts, and leaves one of what is equal.
template <class T>
void sort_unique(std::vector<T>& list) {
  std::ranges::sort(list);
  const auto repeated = std::ranges::unique(list);
  list.erase(repeated.begin(), repeated.end());
}

}  // namespace stsctl
