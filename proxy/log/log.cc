// The log: formats a line on the calling thread and hands it to spdlog's thread pool of one.
#include "log/log.h"

#include <openssl/evp.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <system_error>
#include <utility>

#include "log/blocked_signals.h"
#include "log/descriptor_sink.h"
#include "log/line.h"

namespace connguard {
namespace {

constexpr std::size_t kQueueLines = 8192;
constexpr std::chrono::seconds kStopTime{3};

// Passes lines on as they are: they are formatted before they are queued.
class SpdlogSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit SpdlogSink(int descriptor) : descriptor_sink_(descriptor) {}
  DescriptorSink& descriptor_sink() { return descriptor_sink_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    descriptor_sink_.Write({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

 private:
  DescriptorSink descriptor_sink_;
};

// The queue and its thread, from StartLogging to StopLogging.
class Backend {
 public:
  explicit Backend(int descriptor)
      : sink_(std::make_shared<SpdlogSink>(descriptor)),
        pool_(std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1)),
        logger_(std::make_shared<spdlog::async_logger>(
            "connguard", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {}

  void Post(std::string_view line) {
    logger_->log(spdlog::level::critical, spdlog::string_view_t(line.data(), line.size()));
  }

  std::uint64_t dropped() const {
    return sink_->descriptor_sink().lost() + (pool_ ? pool_->overrun_counter() : overruns_);
  }

  // Writes what is queued. Nobody posts any more.
  void Drain() {
    sink_->descriptor_sink().Expire(std::chrono::steady_clock::now() + kStopTime);
    overruns_ = pool_->overrun_counter();
    pool_.reset();  // the logger holds it weakly: this joins the thread
  }

 private:
  std::shared_ptr<SpdlogSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
  std::uint64_t overruns_ = 0;
};

// Everything that Log() needs; never destroyed, so that lines from static destructors are safe.
struct Logging {
  // Shared: to post to the backend. Exclusive: to exchange it. Never held during a write.
  std::shared_mutex mutex;
  std::unique_ptr<Backend> backend;
  std::atomic<std::uint64_t> dropped{0};  // by backends that are gone, and by Log() itself
  std::atomic<LogLevel> level{LogLevel::kInfo};
  std::atomic<LogFormat> format{LogFormat::kJson};
  std::atomic<int> descriptor{2};
  std::mutex direct;  // without backend: one line at a time
};

Logging& State() {
  static auto* const state = new Logging;
  return *state;
}

void WriteDirectly(std::string_view line) {
  Logging& state = State();
  const std::lock_guard lock(state.direct);
  DescriptorSink sink(state.descriptor.load(std::memory_order_relaxed));
  sink.Expire(std::chrono::steady_clock::now() + kStopTime);
  sink.Write(line);
  state.dropped.fetch_add(sink.lost(), std::memory_order_relaxed);
}

}  // namespace

void StartLogging(const LoggingConfig& config, int descriptor) {
  StopLogging();
  Logging& state = State();
  std::unique_ptr<Backend> backend;
  {
    const BlockedSignals for_the_new_thread;
    backend = std::make_unique<Backend>(descriptor);
  }
  const std::unique_lock lock(state.mutex);
  ChangeLogging(config);
  state.descriptor.store(descriptor, std::memory_order_relaxed);
  state.backend = std::move(backend);
}

void ChangeLogging(const LoggingConfig& config) {
  Logging& state = State();
  state.level.store(config.level, std::memory_order_relaxed);
  state.format.store(config.format, std::memory_order_relaxed);
}

void StopLogging() {
  Logging& state = State();
  std::unique_ptr<Backend> backend;
  {
    const std::unique_lock lock(state.mutex);
    backend = std::move(state.backend);
  }
  if (!backend) return;
  backend->Drain();
  state.dropped.fetch_add(backend->dropped(), std::memory_order_relaxed);
}

bool LogEnabled(LogLevel level) {
  return level >= State().level.load(std::memory_order_relaxed) && level != LogLevel::kOff;
}

void Log(LogLevel level, std::string_view event, std::span<const LogField> fields) noexcept {
  if (!LogEnabled(level)) return;
  Logging& state = State();
  try {
    thread_local std::string line;
    line.clear();
    AppendLine(state.format.load(std::memory_order_relaxed),
               {std::chrono::system_clock::now(), level, event, fields}, line);
    {
      const std::shared_lock lock(state.mutex);
      if (state.backend) {
        state.backend->Post(line);
        return;
      }
    }
    WriteDirectly(line);
  } catch (...) {
    state.dropped.fetch_add(1, std::memory_order_relaxed);
  }
}

std::uint64_t LogLinesDropped() {
  Logging& state = State();
  const std::shared_lock lock(state.mutex);
  return state.dropped.load(std::memory_order_relaxed) +
         (state.backend ? state.backend->dropped() : 0);
}

std::string KeyHash(std::string_view key) {
  constexpr char kHex[] = "0123456789abcdef";
  constexpr std::size_t kDigestBytes = 5;
  // SHA256() would look it up among the providers at each use: half of the cost.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(key.data(), key.size(), digest.data(), nullptr, sha256, nullptr);
  std::string text;
  for (std::size_t i = 0; i < kDigestBytes; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 0xF];
  }
  return text;
}

}  // namespace connguard
