#pragma once
// How often to ask whether a change is served. Pure.

#include <chrono>
#include <cstddef>
#include <vector>

#include "io/http_limits.h"

namespace stsctl::providers::aws {

/// The wait before asking for the `asked`-th time (from 1): half a second growing to 10 s, and
/// longer when `waiting` changes are asked for at once, so that all of them take at most half of
/// `rates`.
std::chrono::milliseconds poll_delay(std::size_t asked, std::size_t waiting,
                                     const std::vector<io::Rate>& rates);

/// How many changes may wait at once so that each is still asked for in good time: at most 300.
std::size_t most_waiting(const std::vector<io::Rate>& rates);

/// How often a change is asked for that is served after `served`.
std::size_t polls_until(std::chrono::seconds served, std::size_t waiting,
                        const std::vector<io::Rate>& rates);

}  // namespace stsctl::providers::aws
