// A worker's loop: connections in, sessions, errands, and the way out.
#include "app/worker.h"

#include <malloc.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <utility>

#include "app/reception.h"
#include "app/session_name.h"
#include "log/log.h"

namespace connguard {

namespace {

// A crowd smaller than this leaves nothing behind that is worth a walk over the heap.
constexpr std::size_t kCrowd = 64;

// From the end of one client to the next, when the guard stops: a hundred a second on each worker.
constexpr Millis kDrainPace{10};

TunnelPolicy PolicyOf(const RouteConfig& route, const UpstreamConfig& upstream) {
  return {.on_drop = route.session.on_drop,
          .linger = route.turn.linger,
          .handshake_timeout = upstream.handshake_timeout,
          .close_timeout = route.session.close_timeout,
          .settle = route.session.settle,
          .barrier = route.session.barrier_path.has_value()};
}

}  // namespace

void Session::Retire() { worker_.Retire(id_); }

std::string Session::name() const { return NameOf(Ticket{worker_.index(), id_}); }

void HeldBytes::Set(Bytes now) {
  if (now == value_) return;
  worker_.AddHeld(now - value_);
  value_ = now;
}

Worker::Worker(Shared& shared, unsigned index, std::vector<Fd> listeners)
    : shared_(shared),
      index_(index),
      transport_(loop_),
      pool_(*this),
      fences_(*this),
      request_ids_((std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()) {
  Adopt(shared.initial);
  loop_.SetPrepare([](void* self) noexcept { return static_cast<Worker*>(self)->Prepare(); }, this);
  loop_.Watch(
      mailbox_.fd(), EPOLLIN,
      [](void* self, int, std::uint32_t) noexcept { static_cast<Worker*>(self)->ReadMail(); },
      this);
  // One socket for each listener, in the configuration's order.
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    listeners_.push_back(std::make_unique<Listener>(
        loop_, std::move(listeners[i]), [this, i](Fd accepted, const SocketAddress& peer) {
          Accept(std::move(accepted), peer, i);
        }));
  }
}

Worker::~Worker() {
  Join();
  for (Slot& slot : slots_) slot.session.reset();
  retired_.clear();
}

void Worker::StartThread() {
  thread_ = std::thread([this] {
    ReadMail();  // the upstreams' addresses, before the first client needs one
    loop_.Run();
  });
}

void Worker::Join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::Send(unsigned index, Errand errand) {
  if (index == index_) {
    errands_.push_back(std::move(errand));
  } else {
    shared_.workers[index]->Post(std::move(errand));
  }
}

Session* Worker::Find(SessionId id) {
  const auto slot = static_cast<std::uint32_t>(id);
  if (slot >= slots_.size() || slots_[slot].generation != id >> 32) return nullptr;
  return slots_[slot].session.get();
}

SessionId Worker::Admit(std::unique_ptr<Session> session) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[index];
  ++slot.generation;
  const SessionId id = (SessionId{slot.generation} << 32) | index;
  session->id_ = id;
  slot.session = std::move(session);
  ++sessions_;
  crowd_ = std::max(crowd_, sessions_);
  // The slots may move while it starts: it may admit another.
  slot.session->Start();
  return id;
}

void Worker::Retire(SessionId id) {
  if (Find(id) == nullptr) return;
  const auto index = static_cast<std::uint32_t>(id);
  retired_.push_back(std::move(slots_[index].session));
  free_slots_.push_back(index);
  --sessions_;
}

void Worker::DeliverFence(const std::string& key, const FenceEffect& effect) {
  Session* session = Find(effect.ticket.connection);
  const bool wanted = session != nullptr && session->OnFence(effect);
  // The client left while its grant was on the way.
  if (!wanted && effect.kind == FenceEffect::Kind::kGrant) {
    FenceClient(*this, key, effect.ticket).Release(effect.epoch);
  }
}

void Worker::Accept(Fd fd, const SocketAddress& peer, std::size_t listener) {
  metrics_.connections_accepted.Add();
  metrics_.connections.Add();
  const std::size_t open = shared_.connections.fetch_add(1, std::memory_order_relaxed) + 1;
  Presence presence(
      [](void* self) noexcept {
        auto& worker = *static_cast<Worker*>(self);
        worker.metrics_.connections.Sub();
        worker.shared_.connections.fetch_sub(1, std::memory_order_relaxed);
      },
      this);
  const bool full = open > config().limits.connections;
  Client client{
      {.presence = std::move(presence), .place = {}, .conn = nullptr}, IpOf(peer), listener};
  Admit(std::make_unique<Reception>(*this, std::move(fd), std::move(client), full));
}

void Worker::CountTlsHandshake(Side side, const Conn& conn) {
  if (conn.tls() == nullptr) return;
  const bool resumed = conn.tls()->resumed();
  metrics_.tls_handshakes[side][resumed ? TlsHandshake::kResumed : TlsHandshake::kFull].Add();
}

std::string Worker::NewRequestId() {
  // SplitMix64: a counter, stirred.
  request_ids_ += 0x9E3779B97F4A7C15;
  std::uint64_t x = request_ids_;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  x ^= x >> 31;
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(x));
  return text.data();
}

// As the generation in force has it; none: nullptr.
std::shared_ptr<UpstreamPlace> Worker::FindPlace(
    const UpstreamConfig& upstream, const std::shared_ptr<const TlsClient>& tls) const {
  if (generation_ == nullptr) return nullptr;
  for (const std::shared_ptr<UpstreamPlace>& place : generation_->places) {
    const bool same = place->name == upstream.name && place->address == upstream.address;
    if (same && place->tls == tls) return place;
  }
  return nullptr;
}

void Worker::Adopt(const ConfigInForce& config) {
  auto next = std::make_shared<Generation>();
  next->config = config.config;
  next->credentials = config.credentials;
  for (std::size_t i = 0; i < config.addresses.size(); ++i) {
    const UpstreamConfig& upstream = config.config->upstreams[i];
    // A connection that was made by other rules must not be used any more.
    const std::shared_ptr<const TlsClient>& tls = config.credentials->upstreams[i];
    std::shared_ptr<UpstreamPlace> place = FindPlace(upstream, tls);
    if (place == nullptr) {
      place = std::make_shared<UpstreamPlace>(
          UpstreamPlace{upstream.name, upstream.address, config.addresses[i], tls});
    }
    next->places.push_back(std::move(place));
  }
  for (const std::size_t number : config.metrics) {
    metrics_.AddRoutes(number + 1);
    next->routes.push_back(&metrics_.route(number));
  }
  for (const RouteConfig& route : config.config->routes) {
    next->tunnels.push_back(PolicyOf(route, next->UpstreamOf(route)));
  }
  const LimitsConfig& limits = config.config->limits;
  shared_.address_limits.SetLimits(limits.connections_per_ip, limits.handshakes_per_second_per_ip);
  // Outlives what the pool kept by its credentials.
  const std::shared_ptr<const Generation> former = std::exchange(generation_, std::move(next));
  pool_.Adopt(*generation_);
}

void Worker::SetAddresses(const Address& upstream, const std::vector<SocketAddress>& resolved) {
  for (const std::shared_ptr<UpstreamPlace>& place : generation_->places) {
    if (place->address == upstream) place->resolved = resolved;
  }
}

void Worker::ReadMail() {
  for (const Errand& errand : mailbox_.Take()) errand(*this);
}

void Worker::RunErrands() {
  while (!errands_.empty()) {
    errands_.swap(under_way_);
    for (const Errand& errand : under_way_) errand(*this);
    under_way_.clear();
  }
}

Millis Worker::Prepare() {
  if (const auto lag = loop_.lag()) metrics_.event_loop_lag.Observe(*lag);
  RunErrands();
  retired_.clear();
  GiveBackMemory();
  CheckBuffers();
  CheckIdle();
  transport_.Prepare();
  return errands_.empty() && retired_.empty() ? EventLoop::kLongestWait : Millis{0};
}

void Worker::StopAccepting(const std::vector<Millis>& quiet,
                           const std::function<void(std::size_t, Fd)>& finished) {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    listeners_[i]->Finish(quiet[i], [i, finished](Fd fd) { finished(i, std::move(fd)); });
  }
}

void Worker::Shutdown(Millis time) {
  if (shutting_down_) return;
  shutting_down_ = true;
  listeners_.clear();
  pool_.Close();
  std::vector<SessionId> ids = Sessions();
  if (ids.empty()) return;
  std::minstd_rand random(std::random_device{}());
  std::ranges::shuffle(ids, random);
  const std::chrono::nanoseconds share = time / 2;
  const auto pace = std::min<std::chrono::nanoseconds>(kDrainPace, share / ids.size());
  std::uniform_int_distribution<std::int64_t> jitter(0, pace.count());
  const TimePoint begin = now();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    // A session that ends may admit another, and the slots move.
    if (Session* const session = Find(ids[i])) {
      session->OnDrain(begin + i * pace + std::chrono::nanoseconds(jitter(random)));
    }
  }
}

void Worker::Cut() {
  for (const SessionId id : Sessions()) {
    if (Session* const session = Find(id)) session->OnCut();
  }
}

std::vector<SessionInfo> Worker::Describe() const {
  std::vector<SessionInfo> all;
  for (const Slot& slot : slots_) {
    if (slot.session == nullptr) continue;
    if (auto info = slot.session->Describe(false)) all.push_back(*std::move(info));
  }
  return all;
}

std::optional<SessionInfo> Worker::Describe(SessionId id) {
  const Session* const session = Find(id);
  return session != nullptr ? session->Describe(true) : std::nullopt;
}

std::optional<std::string_view> Worker::EndByOperator(SessionId id, OnShield shield) {
  Session* const session = Find(id);
  if (session == nullptr || !session->Describe(false)) return std::nullopt;
  session->OnOperator(shield);
  if (Find(id) == nullptr) return "over";
  return session->Describe(false)->state;
}

std::vector<SessionId> Worker::Sessions() const {
  std::vector<SessionId> ids;
  for (const Slot& slot : slots_) {
    if (slot.session != nullptr) ids.push_back(slot.session->id());
  }
  return ids;
}

void Worker::GiveBackMemory() {
  if (crowd_ < kCrowd || sessions_ > crowd_ / 8) return;
  crowd_ = sessions_;
  malloc_trim(0);
}

Bytes Worker::HeldByAll() const {
  Bytes sum = 0;
  for (const Shared::Held& held : shared_.held) sum += held.bytes.load(std::memory_order_relaxed);
  return sum;
}

// Once per turn of the loop, and only when something has changed.
void Worker::CheckBuffers() {
  const Bytes now = transport_.queued() + held_;
  if (now == published_) return;
  const bool grown = now > published_;
  published_ = now;
  shared_.held[index_].bytes.store(now, std::memory_order_relaxed);
  metrics_.buffered_bytes.Set(static_cast<std::int64_t>(now));
  if (!grown || HeldByAll() <= config().limits.buffer_total) return;
  const auto most = std::ranges::max_element(shared_.held, {}, [](const Shared::Held& held) {
    return held.bytes.load(std::memory_order_relaxed);
  });
  Send(static_cast<unsigned>(most - shared_.held.begin()),
       [](Worker& worker) { worker.RelieveBuffers(); });
}

void Worker::RelieveBuffers() {
  while (HeldByAll() > config().limits.buffer_total) {
    const Bytes before = transport_.queued() + held_;
    Session* worst = nullptr;
    Bytes most = 0;
    for (const Slot& slot : slots_) {
      const Bytes bytes = slot.session != nullptr ? slot.session->buffered() : 0;
      if (bytes > most) worst = slot.session.get();
      most = std::max(most, bytes);
    }
    if (worst == nullptr) return;
    Log(LogLevel::kWarn, "evicted", {{"buffered_bytes", most}});
    metrics_.buffer_evictions.Add();
    worst->OnPressure();
    CheckBuffers();
    if (transport_.queued() + held_ >= before) return;  // nothing more can be had
  }
}

void Worker::CheckIdle() {
  if (!shutting_down_ || told_idle_ || sessions_ > 0) return;
  told_idle_ = true;
  shared_.on_idle();
}

}  // namespace connguard
