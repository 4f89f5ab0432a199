#pragma once
// A temporary folder for what another program reads or leaves behind. Knows no format.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stsctl::io {

class Files;

/// A folder of our own below the system's temporary folder, for what another program reads or
/// leaves there. Removed with all it holds. Nothing in it survives a crash.
class Scratch {
 public:
  virtual ~Scratch() = default;
  virtual const std::string& path() const = 0;
  /// Writes a file with exactly these permissions.
  virtual Result<Done> write(const std::string& name, std::string_view content, unsigned mode) = 0;
  /// Reads a file and removes it; errors as Files::read.
  virtual Result<std::string> take(const std::string& name, std::size_t limit) = 0;
};

/// For Files::scratch.
Result<std::unique_ptr<Scratch>> real_scratch(Files& files);

}  // namespace stsctl::io
