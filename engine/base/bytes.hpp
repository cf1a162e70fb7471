// Bytes: a borrowed view and an owned buffer. Never a raw pointer beside a length.
#pragma once

#include <cassert>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace engine {

// Borrowed, read-only. The owner outlives the view; a view never crosses a suspension unless the owner is held there
// too.
using byte_view = std::string_view;

// Owned, fixed capacity, move-only, contents not initialised. From a buffer_pool it goes back there when destroyed.
class buffer {
 public:
  buffer() = default;
  explicit buffer(std::size_t capacity) : data_(new char[capacity], deleter{}), capacity_(capacity) {}

  [[nodiscard]] char* data() { return data_.get(); }
  [[nodiscard]] const char* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] byte_view view() const { return {data_.get(), size_}; }
  [[nodiscard]] std::span<char> spare() { return {data_.get() + size_, capacity_ - size_}; }

  // Grows or shrinks the used part; bytes that become used hold whatever was there.
  void resize(std::size_t size) {
    assert(size <= capacity_);
    size_ = size;
  }
  void append(byte_view bytes) {
    assert(bytes.size() <= capacity_ - size_);
    bytes.copy(data_.get() + size_, bytes.size());
    size_ += bytes.size();
  }
  void clear() { size_ = 0; }

  buffer(buffer&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  buffer& operator=(buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

 private:
  friend class buffer_pool;
  struct pool_state;
  struct deleter {
    deleter() : capacity(0) {}
    deleter(std::shared_ptr<pool_state> p, std::size_t c) : pool(std::move(p)), capacity(c) {}
    std::shared_ptr<pool_state> pool;  // shared with the pool and its other buffers: a buffer may outlive the pool
    std::size_t capacity;
    void operator()(char* bytes) const noexcept;
  };
  buffer(char* bytes, std::size_t capacity, std::shared_ptr<pool_state> pool)
      : data_(bytes, deleter{std::move(pool), capacity}), capacity_(capacity) {}

  std::unique_ptr<char[], deleter> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace engine
