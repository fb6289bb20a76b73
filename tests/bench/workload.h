// What the scenarios transfer: the origin sends it, the generator checks it.
#pragma once

#include <cstddef>
#include <string_view>

namespace connguard::bench {

inline constexpr std::string_view kBodyTarget = "/body";  // one body with its length
inline constexpr std::size_t kBodySize = 1024;

inline constexpr std::string_view kStreamTarget = "/stream";  // chunks, each its own write
inline constexpr std::size_t kChunks = 50;
inline constexpr std::size_t kChunkSize = 200;

// For the script around it: the head of this very request, and what the origin has seen so far.
inline constexpr std::string_view kHeadTarget = "/head";
inline constexpr std::string_view kUpgradeHeadTarget = "/upgrade-head";  // of the last upgrade
inline constexpr std::string_view kCountsTarget = "/counts";

}  // namespace connguard::bench
