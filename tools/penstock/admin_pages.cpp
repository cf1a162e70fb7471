#include "tools/penstock/admin_pages.hpp"

#include "tools/penstock/report.hpp"

namespace penstock {

engine::admin_handler admin_pages(service& s) {
  return [&s](std::string_view, std::string_view target) -> engine::admin_answer {
    const auto path = target.substr(0, target.find('?'));
    if (path == "/metrics") {
      return {.status = 200,
              .content_type = "text/plain; version=0.0.4; charset=utf-8",
              .body = s.metrics().prometheus_text()};
    }
    if (path == "/healthz") return {.status = 200, .content_type = "text/plain; charset=utf-8", .body = "ok\n"};
    if (path == "/readyz") {
      if (s.path().status().draining) {
        return {.status = 503, .content_type = "text/plain; charset=utf-8", .body = "draining\n"};
      }
      return {.status = 200, .content_type = "text/plain; charset=utf-8", .body = "ready\n"};
    }
    if (path == "/status")
      return {.status = 200, .content_type = "application/json", .body = status_json(s.path().status())};
    return {.status = 404,
            .content_type = "text/plain; charset=utf-8",
            .body = "pages: /metrics /healthz /readyz /status\n"};
  };
}

}  // namespace penstock
