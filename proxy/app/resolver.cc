// uv_getaddrinfo on a timer, one per host name.
#include "app/resolver.h"

#include <uv.h>

#include <algorithm>
#include <cstring>
#include <string>
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

bool Names(const Config& config, const Address& address) {
  return std::ranges::find(config.upstreams, address, &UpstreamConfig::address) !=
         config.upstreams.end();
}

}  // namespace

struct Resolver::Lookup {
  Resolver* owner;
  Address address;
  std::string service;
  std::vector<SocketAddress> known{};
  uv_timer_t timer{};
  uv_getaddrinfo_t request{};
  int refusal = 0;  // of the last request, at once
  bool tried = false;
  bool busy = false;
  bool stopped = false;
  bool closed = false;
  bool failing = false;

  void Begin() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    request.data = this;
    const auto done = [](uv_getaddrinfo_t* self, int status, addrinfo* found) {
      static_cast<Lookup*>(self->data)->Done(status, found);
    };
    refusal =
        uv_getaddrinfo(timer.loop, &request, done, address.host.c_str(), service.c_str(), &hints);
    busy = refusal == 0;
    // A name that libuv does not even try is told of like any other that fails: later, for whoever
    // has asked is not ready to hear of it.
    if (!busy) {
      Wait(0, [](uv_timer_t* self) {
        auto* const lookup = static_cast<Lookup*>(self->data);
        lookup->Conclude(lookup->refusal, {});
      });
    }
  }

  void Done(int status, addrinfo* found) {
    busy = false;
    const std::vector<SocketAddress> addresses = ToAddresses(found);
    uv_freeaddrinfo(found);
    if (stopped) {
      FreeIfOver();
    } else {
      Conclude(status, addresses);
    }
  }

  void Conclude(int status, const std::vector<SocketAddress>& addresses) {
    const bool first = !std::exchange(tried, true);
    if (status != 0 && !failing) {
      Log(LogLevel::kWarn, "resolve_failed",
          {{"host", address.host}, {"why", uv_strerror(status)}});
    }
    failing = status != 0;
    Wait(failing ? kRetryMillis : kRefreshMillis,
         [](uv_timer_t* self) { static_cast<Lookup*>(self->data)->Begin(); });
    if (!failing) known = addresses;
    if (!failing || first) owner->found_(Address(address), addresses);  // may end this look-up
  }

  void Wait(std::uint64_t millis, uv_timer_cb then) { uv_timer_start(&timer, then, millis, 0); }

  void Stop() {
    stopped = true;
    if (busy) uv_cancel(reinterpret_cast<uv_req_t*>(&request));
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), [](uv_handle_t* self) {
      auto* const lookup = static_cast<Lookup*>(self->data);
      lookup->closed = true;
      lookup->FreeIfOver();
    });
  }

  void FreeIfOver() {
    if (closed && !busy) delete this;
  }
};

Resolver::Resolver(uv_loop_s* loop, Callback found) : loop_(loop), found_(std::move(found)) {}

Resolver::~Resolver() = default;

void Resolver::Add(const Config& config) {
  for (const UpstreamConfig& upstream : config.upstreams) {
    const Address& address = upstream.address;
    if (!ParseLiteral(address).empty() || LookupOf(address) != nullptr) continue;
    auto* const lookup = new Lookup{this, address, std::to_string(address.port)};
    uv_timer_init(loop_, &lookup->timer);
    lookup->timer.data = lookup;
    lookups_.push_back(lookup);
    lookup->Begin();
  }
}

void Resolver::KeepOnly(const Config& config) {
  // Not std::ranges': clang 14 does not take the subrange that libstdc++ 12 gives back.
  const auto others = std::stable_partition(
      lookups_.begin(), lookups_.end(),
      [&config](const Lookup* lookup) { return Names(config, lookup->address); });
  std::for_each(others, lookups_.end(), [](Lookup* lookup) { lookup->Stop(); });
  lookups_.erase(others, lookups_.end());
}

std::vector<SocketAddress> Resolver::Find(const Address& upstream) const {
  const Lookup* const lookup = LookupOf(upstream);
  return lookup != nullptr ? lookup->known : ParseLiteral(upstream);
}

bool Resolver::Tried(const Config& config) const {
  return std::ranges::all_of(config.upstreams, [this](const UpstreamConfig& upstream) {
    const Lookup* const lookup = LookupOf(upstream.address);
    return lookup == nullptr || lookup->tried;
  });
}

bool Resolver::Knows(const Config& config) const {
  return std::ranges::none_of(config.upstreams, [this](const UpstreamConfig& upstream) {
    return Find(upstream.address).empty();
  });
}

Resolver::Lookup* Resolver::LookupOf(const Address& upstream) const {
  const auto found =
      std::ranges::find(lookups_, upstream, [](const Lookup* lookup) { return lookup->address; });
  return found == lookups_.end() ? nullptr : *found;
}

void Resolver::Stop() {
  for (Lookup* lookup : std::exchange(lookups_, {})) lookup->Stop();
}

}  // namespace connguard
