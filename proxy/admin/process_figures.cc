// What the operating system says of this process.
#include "admin/process_figures.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace connguard {
namespace {

double SecondsOf(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double ClockSeconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return SecondsOf(time);
}

// By the boot clock, as later changes of the time of day must not move it: computed once.
double StartTime() {
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  // The second field is the command in parentheses, which may hold spaces; the 22nd is the start.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  constexpr int kFieldsBetween = 19;
  std::string skipped;
  for (int i = 0; i < kFieldsBetween; ++i) fields >> skipped;
  double ticks_since_boot = 0;
  if (!(fields >> ticks_since_boot)) return 0;
  const double age =
      ClockSeconds(CLOCK_BOOTTIME) - ticks_since_boot / static_cast<double>(sysconf(_SC_CLK_TCK));
  return ClockSeconds(CLOCK_REALTIME) - age;
}

}  // namespace

double ProcessCpuSeconds() { return ClockSeconds(CLOCK_PROCESS_CPUTIME_ID); }

double ProcessStartSeconds() {
  static const double start = StartTime();
  return start;
}

std::chrono::system_clock::time_point ProcessStart() {
  const std::chrono::duration<double> since_epoch(ProcessStartSeconds());
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since_epoch));
}

double ProcessResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double ProcessOpenDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return 0;
  return static_cast<double>(std::distance(begin(entries), end(entries))) - 1;  // the listing's own
}

double ProcessMaxDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace connguard
