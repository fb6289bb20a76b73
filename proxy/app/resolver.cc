// uv_getaddrinfo on a timer, one per host name.
#include "app/resolver.h"

#include <uv.h>

#include <cstring>
#include <utility>

#include "log/log.h"

namespace connguard {

namespace {

constexpr std::uint64_t kRefreshMillis = 30'000;
constexpr std::uint64_t kRetryMillis = 1'000;

std::vector<SocketAddress> ToAddresses(const addrinfo* found) {
  std::vector<SocketAddress> result;
  for (; found != nullptr; found = found->ai_next) {
    SocketAddress& address = result.emplace_back();
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
  }
  return result;
}

}  // namespace

struct Resolver::Lookup {
  Resolver* owner;
  std::size_t upstream;
  std::string host;
  std::string service;
  uv_timer_t timer{};
  uv_getaddrinfo_t request{};
  bool busy = false;
  bool stopped = false;
  bool failing = false;

  void Begin() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    request.data = this;
    const auto done = [](uv_getaddrinfo_t* self, int status, addrinfo* found) {
      static_cast<Lookup*>(self->data)->Done(status, found);
    };
    busy = uv_getaddrinfo(timer.loop, &request, done, host.c_str(), service.c_str(), &hints) == 0;
    if (!busy) Again(kRetryMillis);
  }

  void Done(int status, addrinfo* found) {
    busy = false;
    if (status == 0) {
      owner->found_(upstream, ToAddresses(found));
    } else if (status != UV_ECANCELED && !failing) {
      Log(LogLevel::kWarn, "resolve_failed", {{"host", host}, {"why", uv_strerror(status)}});
    }
    failing = status != 0;
    uv_freeaddrinfo(found);
    Again(status == 0 ? kRefreshMillis : kRetryMillis);
  }

  void Again(std::uint64_t millis) {
    if (stopped) return;
    uv_timer_start(
        &timer, [](uv_timer_t* self) { static_cast<Lookup*>(self->data)->Begin(); }, millis, 0);
  }
};

Resolver::Resolver(uv_loop_s* loop, const Config& config, Callback found)
    : found_(std::move(found)) {
  for (std::size_t i = 0; i < config.upstreams.size(); ++i) {
    const Address& address = config.upstreams[i].address;
    std::vector<SocketAddress> literal = ParseLiteral(address);
    if (!literal.empty()) {
      found_(i, std::move(literal));
      continue;
    }
    auto lookup = std::make_unique<Lookup>();
    lookup->owner = this;
    lookup->upstream = i;
    lookup->host = address.host;
    lookup->service = std::to_string(address.port);
    uv_timer_init(loop, &lookup->timer);
    lookup->timer.data = lookup.get();
    lookup->Begin();
    lookups_.push_back(std::move(lookup));
  }
}

Resolver::~Resolver() = default;

void Resolver::Stop() {
  for (const std::unique_ptr<Lookup>& lookup : lookups_) {
    if (lookup->stopped) continue;
    lookup->stopped = true;
    if (lookup->busy) uv_cancel(reinterpret_cast<uv_req_t*>(&lookup->request));
    uv_close(reinterpret_cast<uv_handle_t*>(&lookup->timer), nullptr);
  }
}

}  // namespace connguard
