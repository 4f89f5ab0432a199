#include "base/random.h"

#include <random>

#include <fmt/format.h>

namespace stsctl {

std::string random_word() {
  thread_local std::random_device source;
  return fmt::format("{:08x}{:08x}", source(), source());
}

}  // namespace stsctl
