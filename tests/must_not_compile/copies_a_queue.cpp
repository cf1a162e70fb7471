// expected: call to deleted constructor of 'engine::bounded_queue<int>'
// Its waiters stand in the queue itself.
#include "engine/flow/bounded_queue.hpp"

void hand_over(engine::bounded_queue<int>& queue) {
#ifdef MISUSE
  engine::bounded_queue<int> other = queue;
#else
  engine::bounded_queue<int>& other = queue;
#endif
  other.close();
}
