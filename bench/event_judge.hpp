// What becomes of one event in the product: asked of its pure stages, before anything is measured.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "engine/base/buffer_pool.hpp"
#include "stages/batch.hpp"
#include "stages/parse.hpp"
#include "stages/transform.hpp"
#include "stages/types.hpp"

namespace bench {

struct row_verdict {
  bool fits = false;  // a row that fits a body
  bool cut = false;   // with values above the destination's limit replaced
};

struct event_verdict {
  std::optional<stages::set_aside_reason> set_aside;  // then there are no rows
  row_verdict typed;
  row_verdict value;
};

class event_judge {
 public:
  event_judge();
  event_verdict operator()(std::string_view text);

 private:
  row_verdict judge_row(stages::transform&);

  engine::buffer_pool pool_{8 * engine::mib};
  std::unique_ptr<stages::encoder> encoder_;
  stages::batch batch_;
  stages::parse parse_;
  stages::transform typed_{{.format = stages::row_format::typed}};
  stages::transform value_{{.format = stages::row_format::value}};
  stages::records records_;
  stages::rows rows_;
};

}  // namespace bench
