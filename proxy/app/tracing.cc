// New traces from a generator for each thread.
#include "app/tracing.h"

#include <random>

namespace connguard {
namespace {

// Ids have to be unique, not secret.
std::mt19937_64 SeededGenerator() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

TraceContext TraceOf(const RequestHead& head, const UpstreamConfig& upstream) {
  TraceContext trace = TraceContext::Of(head.fields);
  if (trace || !upstream.traceparent) return trace;
  thread_local std::mt19937_64 generator = SeededGenerator();
  return TraceContext::New({generator(), generator(), generator()});
}

}  // namespace connguard
