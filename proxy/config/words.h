// The words that stand for a choice, both ways: the loader reads them, print-config writes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "connguard/config.h"

namespace connguard {

template <typename T>
struct Word {
  std::string_view text;
  T value;
};

// Every value has its word.
template <typename T, std::size_t N>
constexpr std::string_view WordFor(T value, const Word<T> (&words)[N]) {
  return std::ranges::find(words, value, &Word<T>::value)->text;
}

inline constexpr Word<bool> kBools[] = {{"true", true}, {"false", false}};
inline constexpr Word<LogLevel> kLogLevels[] = {{"debug", LogLevel::kDebug},
                                                {"info", LogLevel::kInfo},
                                                {"warn", LogLevel::kWarn},
                                                {"error", LogLevel::kError},
                                                {"off", LogLevel::kOff}};
inline constexpr Word<LogFormat> kLogFormats[] = {
    {"json", LogFormat::kJson}, {"logfmt", LogFormat::kLogfmt}, {"text", LogFormat::kText}};
inline constexpr Word<LogTarget> kLogTargets[] = {
    {"none", LogTarget::kNone}, {"path", LogTarget::kPath}, {"full", LogTarget::kFull}};
inline constexpr Word<OnConflict> kOnConflict[] = {{"takeover", OnConflict::kTakeover},
                                                   {"reject", OnConflict::kReject},
                                                   {"share", OnConflict::kShare}};
inline constexpr Word<OnDrop> kOnDrop[] = {{"finish", OnDrop::kFinish}, {"close", OnDrop::kClose}};
inline constexpr Word<Compression> kCompression[] = {{"passthrough", Compression::kPassthrough},
                                                     {"off", Compression::kOff}};
inline constexpr Word<TlsVersion> kTlsVersions[] = {{"1.2", TlsVersion::k12},
                                                    {"1.3", TlsVersion::k13}};
inline constexpr Word<bool> kAccepts[] = {{"any", false}, {"json-object", true}};

}  // namespace connguard
