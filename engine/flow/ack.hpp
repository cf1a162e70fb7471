// Delivery: which positions of one route may be committed.
//
// A line holds the blocks of a route in the order of their positions. Each block owes a number of units (its rows, and
// the originals that must be written down); a delivery is a move-only share of them. A unit ends delivered (accepted by
// the sink, or durably dead-lettered) or, when its share is destroyed, not delivered. committable() is the position
// after the last block of the unbroken run of wholly delivered blocks from the start: never mid-block, never past a
// gap.
//
// One unit not delivered breaks the line for good: the route waits until nothing is outstanding, then starts a new line
// at committed(). Thread-safe; deliveries may outlive the line's owner (they share its state).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace engine {

class ack_line {
 public:
  struct block;

  // A share of a block's units. Destroyed with units left: those are not delivered.
  class delivery {
   public:
    delivery() = default;
    delivery(delivery&&) noexcept;
    delivery& operator=(delivery&&) noexcept;
    ~delivery() { abandon(); }

    [[nodiscard]] std::uint32_t units() const { return units_; }
    // Takes `units` of the share into one of its own.
    delivery split(std::uint32_t units);
    // Adds another share of the same block to this one.
    void merge(delivery other);
    // All units of the share are delivered.
    void delivered();
    void abandon();
    // What was kept with the block (its reply, its lease) until its last unit ends.
    [[nodiscard]] const std::shared_ptr<void>& kept() const;
    [[nodiscard]] bool same_block(const delivery& other) const { return block_ == other.block_; }

   private:
    friend class ack_line;
    std::shared_ptr<block> block_;  // shared by the shares of one block; the last one frees what it keeps
    std::uint32_t units_ = 0;
  };

  // `changed` is called (any thread, no lock held) when committable() moved, the line broke, or nothing is outstanding.
  explicit ack_line(std::string start, std::function<void()> changed);

  // The next block: everything up to `position` is delivered once its `units` are. With 0 units it is delivered
  // already, and committable() may have moved: `changed` is not called for that, the caller looks itself. `keep` is
  // released when the last unit has ended.
  delivery open(std::string position, std::uint32_t units, std::shared_ptr<void> keep);

  [[nodiscard]] std::string committable() const;
  [[nodiscard]] bool broken() const;
  // Blocks with units neither delivered nor abandoned.
  [[nodiscard]] std::size_t outstanding() const;
  // Breaks the line without a share, so that the route starts a new one; shares still out may end either way.
  void break_off();

 private:
  struct state;
  std::shared_ptr<state> state_;  // shared with the blocks
};

}  // namespace engine
