// What came of a run of a load generator.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace connguard::bench {

// Delays: how long each answer took, for the percentiles at the end.
class Delays {
 public:
  void Add(std::chrono::nanoseconds delay) { all_.push_back(delay); }
  // 0.5 is the median; zero when there are none. Changes the order in which they are kept.
  std::chrono::nanoseconds Percentile(double share);

 private:
  std::vector<std::chrono::nanoseconds> all_;
};

struct LoadFigures {
  std::uint64_t opened = 0;   // connections; more than planned when answers ended theirs
  std::uint64_t answers = 0;  // whole and right
  std::uint64_t reads = 0;    // pieces in which they came
  double per_second = 0;      // answers, while requests were sent
  Delays delays;              // of the loads that look at them
  std::uint64_t errors = 0;
  std::string first_error;

  bool ok() const { return errors == 0 && answers > 0; }
  void NoteError(std::string_view error);
};

// One line.
std::string ToJson(LoadFigures& figures);

}  // namespace connguard::bench
