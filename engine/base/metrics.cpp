#include "engine/base/metrics.hpp"

#include <mutex>
#include <unordered_map>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace engine {
namespace {

class prometheus_counter final : public counter {
 public:
  explicit prometheus_counter(prometheus::Counter& inner) : inner_(inner) {}
  void add(double amount) override { inner_.Increment(amount); }
  [[nodiscard]] double value() const override { return inner_.Value(); }

 private:
  prometheus::Counter& inner_;
};

class prometheus_gauge final : public gauge {
 public:
  explicit prometheus_gauge(prometheus::Gauge& inner) : inner_(inner) {}
  void set(double value) override { inner_.Set(value); }
  void add(double amount) override { inner_.Increment(amount); }
  [[nodiscard]] double value() const override { return inner_.Value(); }

 private:
  prometheus::Gauge& inner_;
};

class prometheus_histogram final : public histogram {
 public:
  explicit prometheus_histogram(prometheus::Histogram& inner) : inner_(inner) {}
  void observe(double value) override { inner_.Observe(value); }

 private:
  prometheus::Histogram& inner_;
};

// One wrapper per instrument of the library, found by the instrument's address, which is stable.
template <class Wrapper, class Inner>
class wrappers {
 public:
  Wrapper& of(Inner& inner) {
    const std::lock_guard lock(mutex_);
    auto& slot = made_[&inner];
    if (slot == nullptr) slot = std::make_unique<Wrapper>(inner);
    return *slot;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<Inner*, std::unique_ptr<Wrapper>> made_;
};

}  // namespace

struct metric_registry::state {
  // Merge: the same name asked for twice is the same family, not an error.
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  wrappers<prometheus_counter, prometheus::Counter> counters;
  wrappers<prometheus_gauge, prometheus::Gauge> gauges;
  wrappers<prometheus_histogram, prometheus::Histogram> histograms;
};

metric_registry::metric_registry() : state_(std::make_unique<state>()) {}
metric_registry::~metric_registry() = default;

counter& metric_registry::counter(const std::string& name, const std::string& help, const metric_labels& labels) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
  return state_->counters.of(family.Add(labels));
}

gauge& metric_registry::gauge(const std::string& name, const std::string& help, const metric_labels& labels) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
  return state_->gauges.of(family.Add(labels));
}

histogram& metric_registry::histogram(const std::string& name, const std::string& help, const metric_labels& labels,
                                      const std::vector<double>& bounds) {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
  return state_->histograms.of(family.Add(labels, bounds));
}

std::string metric_registry::prometheus_text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace engine
