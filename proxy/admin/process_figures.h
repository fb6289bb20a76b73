// What the operating system says of this process.
#pragma once

namespace connguard {

// A figure that cannot be read is 0. Any thread.
double ProcessCpuSeconds();    // user and system, since the start
double ProcessStartSeconds();  // since the Unix epoch
double ProcessResidentBytes();
double ProcessOpenDescriptors();
double ProcessMaxDescriptors();  // soft limit

}  // namespace connguard
