#include "reports/gunzip.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
// Input is read only.
#define ZLIB_CONST
#include <zlib.h>

namespace stsctl::reports {

namespace {

class Inflater {
 public:
  Inflater() { good_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }  // 16: gzip only
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Result<std::string> run(std::string_view data, std::size_t most) {
    // It points to chars as bytes.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    stream_.next_in = reinterpret_cast<const Bytef*>(data.data());
    stream_.avail_in = static_cast<uInt>(data.size());
    std::string output;
    int state = good_ ? Z_OK : Z_MEM_ERROR;
    while (state == Z_OK) {
      const std::size_t made = step(state);
      if (made > most - output.size())
        return fail(Code::invalid, fmt::format("it inflates to more than {} bytes", most));
      output.append(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(made));
      // A further member may follow; anything else after the end is padding, which mail adds.
      if (state == Z_STREAM_END && stream_.avail_in > 18 && stream_.next_in[0] == 0x1F)
        state = inflateReset(&stream_);
    }
    if (state == Z_STREAM_END) return output;
    return fail(Code::invalid,
                state == Z_BUF_ERROR ? "the gzip data is cut off" : "the gzip data is damaged");
  }

 private:
  // How many bytes stand in the buffer now.
  std::size_t step(int& state) {
    stream_.next_out = buffer_.data();
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    state = inflate(&stream_, Z_NO_FLUSH);
    return buffer_.size() - stream_.avail_out;
  }

  z_stream stream_{};
  std::array<Bytef, 16384> buffer_{};
  bool good_ = false;
};

}  // namespace

bool is_gzip(std::string_view data) {
  return data.starts_with("\x1F\x8B");
}

Result<std::string> gunzip(std::string_view data, std::size_t most) {
  return Inflater().run(data, most);
}

}  // namespace stsctl::reports
