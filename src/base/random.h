#pragma once
// Words that nobody guesses. Knows nothing of their use.

#include <string>

namespace stsctl {

/// 16 lower-case hexadecimal digits from the system's source of randomness. Any thread.
std::string random_word();

}  // namespace stsctl
