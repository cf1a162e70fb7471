// Counters, gauges and histograms with fixed labels, and their Prometheus text. The registry is passed in, never
// global.
//
// Thread-safe. Instruments live as long as the registry; asking twice for the same name and labels gives the same one.
// Meant for per-block work: a counter costs an atomic addition.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace engine {

using metric_labels = std::map<std::string, std::string>;

class counter {
 public:
  virtual ~counter() = default;
  virtual void add(double amount = 1) = 0;
  [[nodiscard]] virtual double value() const = 0;
};

class gauge {
 public:
  virtual ~gauge() = default;
  virtual void set(double value) = 0;
  virtual void add(double amount) = 0;
  [[nodiscard]] virtual double value() const = 0;
};

class histogram {
 public:
  virtual ~histogram() = default;
  virtual void observe(double value) = 0;
};

class metric_registry {
 public:
  metric_registry();
  ~metric_registry();
  metric_registry(const metric_registry&) = delete;
  metric_registry& operator=(const metric_registry&) = delete;

  // Names as Prometheus wants them: penstock_..._total for counters, base units (seconds, bytes).
  engine::counter& counter(const std::string& name, const std::string& help, const metric_labels& = {});
  engine::gauge& gauge(const std::string& name, const std::string& help, const metric_labels& = {});
  engine::histogram& histogram(const std::string& name, const std::string& help, const metric_labels&,
                               const std::vector<double>& bounds);
  [[nodiscard]] std::string prometheus_text() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace engine
