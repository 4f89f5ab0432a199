#include "cli/progress.h"

#include <ostream>

#include <fmt/format.h>

namespace stsctl::cli {

namespace {
// Short work shows nothing; long work is redrawn this often.
constexpr auto first_after = std::chrono::milliseconds{500};
constexpr auto redraw_every = std::chrono::milliseconds{100};
}  // namespace

Progress::Progress(World& world, std::string label, std::size_t total)
    : world_(world),
      label_(std::move(label)),
      total_(total),
      next_(world.services.clock.steady() + first_after) {}

Progress::~Progress() {
  if (drawn_) world_.err << "\r\033[K" << std::flush;
}

providers::Watch Progress::watch() {
  return {world_.stop, [this](std::size_t count) { advance(count); }};
}

void Progress::advance(std::size_t count) {
  const std::size_t done = done_ += count;
  if (!world_.err_is_terminal) return;
  const std::unique_lock lock(drawing_, std::try_to_lock);
  if (lock) draw(done);
}

void Progress::draw(std::size_t done) {
  const auto now = world_.services.clock.steady();
  if (now < next_) return;
  next_ = now + redraw_every;
  drawn_ = true;
  world_.err << fmt::format("\r\033[K{} {}", label_, done);
  if (total_ > 0)
    world_.err << fmt::format("/{} ({}%)", total_, std::min<std::size_t>(100, 100 * done / total_));
  world_.err << std::flush;
}

}  // namespace stsctl::cli
