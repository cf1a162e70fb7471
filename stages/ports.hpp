// What the data path is given: the ports and the two registries. All of it outlives the path.
#pragma once

#include <functional>
#include <string>

#include "engine/base/buffer_pool.hpp"
#include "engine/base/log.hpp"
#include "engine/base/metrics.hpp"
#include "engine/flow/ports.hpp"

namespace stages {

struct path_ports {
  engine::executor where;
  engine::clock& clock;
  engine::rng& rng;
  engine::cpu& cpu;
  engine::http_exchange& pulls;    // towards SLS; closed when pulling stops
  engine::http_exchange& uploads;  // towards the destinations and their token services
  engine::store& store;
  engine::logger& log;
  engine::metric_registry& metrics;
};

}  // namespace stages
