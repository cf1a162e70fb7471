// The admin listener's pages: /metrics, /healthz, /readyz, /status.
#pragma once

#include "engine/net/admin_server.hpp"
#include "tools/penstock/service.hpp"

namespace penstock {

// The service outlives the server that calls this.
engine::admin_handler admin_pages(service&);

}  // namespace penstock
