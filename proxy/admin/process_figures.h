// What the operating system says of this process.
#pragma once

#include <chrono>

namespace connguard {

// A figure that cannot be read is 0. Any thread.
double ProcessCpuSeconds();    // user and system, since the start
double ProcessStartSeconds();  // since the Unix epoch
// The same as a time; it never changes, so it tells one process from the next.
std::chrono::system_clock::time_point ProcessStart();
double ProcessResidentBytes();
double ProcessOpenDescriptors();
double ProcessMaxDescriptors();  // soft limit

}  // namespace connguard
