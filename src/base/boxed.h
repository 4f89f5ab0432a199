#pragma once
// An optional value that takes the room of a pointer where there is none. Knows nothing of it.

#include <memory>
#include <utility>

namespace stsctl {

/// Holds a value that does not change, or none. Copies share it; equal values are equal boxes.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  explicit Boxed(T value) : value_(std::make_shared<const T>(std::move(value))) {}

  explicit operator bool() const { return value_ != nullptr; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  bool operator==(const Boxed& other) const {
    if (!value_ || !other.value_) return value_ == other.value_;
    return *value_ == *other.value_;
  }

 private:
  std::shared_ptr<const T> value_;
};

}  // namespace stsctl
