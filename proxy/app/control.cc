// The control thread: libuv carries it.
#include "app/control.h"

#include <algorithm>
#include <future>
#include <stdexcept>
#include <utility>

#include "log/log.h"

namespace connguard {

namespace {

// Whoever asks over the admin endpoint keeps its other clients waiting.
constexpr std::chrono::seconds kReloadPatience{5};

// For Close frames to leave, when the drain's time is over or a second signal ends it.
constexpr Millis kLastWords{250};

}  // namespace

std::vector<std::string> RouteNumbers::Names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

std::vector<std::size_t> RouteNumbers::NumbersFor(const Config& config) {
  const std::lock_guard lock(mutex_);
  std::vector<std::size_t> numbers;
  for (const RouteConfig& route : config.routes) {
    const auto known = std::ranges::find(names_, route.name);
    numbers.push_back(static_cast<std::size_t>(known - names_.begin()));
    if (known == names_.end()) names_.push_back(route.name);
  }
  return numbers;
}

Control::Control(std::shared_ptr<const Config> config, const ConfigSource& source,
                 ProcessState& state, EventFeed& feed, RouteNumbers& routes)
    : state_(state),
      feed_(feed),
      routes_(routes),
      resolver_((uv_loop_init(&loop_), &loop_),
                [this](const Address& upstream, const std::vector<SocketAddress>& addresses) {
                  OnResolved(upstream, addresses);
                }),
      reloader_(config, source, resolver_, state, feed,
                [this](std::shared_ptr<const Config> next) { return PutInForce(std::move(next)); }),
      credentials_(credential_store_.Load(*config)),
      credential_watch_(&loop_, [this] { RenewCredentials(); }),
      config_(std::move(config)) {
  for (auto& [handle, number] : signals_) {
    uv_signal_init(&loop_, &handle);
    handle.data = this;
    uv_signal_start(
        &handle,
        [](uv_signal_t* self, int received) {
          static_cast<Control*>(self->data)->OnSignal(received);
        },
        number);
  }
  uv_timer_init(&loop_, &timer_);
  timer_.data = this;
  uv_async_init(&loop_, &wake_,
                [](uv_async_t* self) { static_cast<Control*>(self->data)->OnWake(); });
  wake_.data = this;
  if (source.watch) {
    config_watch_ = std::make_unique<FileWatch>(
        &loop_, [this] { BeginReload("file", [](const ReloadOutcome&) {}); });
    config_watch_->Watch(FoldersOfConfig(source.file));
  }
  credential_watch_.Watch(FoldersOfFiles(CredentialFiles(*config_)));
  state_.SetCertificates(credentials_->Certificates());
}

Control::~Control() { uv_loop_close(&loop_); }

ConfigInForce Control::Order(std::shared_ptr<const Config> config) {
  ConfigInForce order;
  order.metrics = routes_.NumbersFor(*config);
  for (const UpstreamConfig& upstream : config->upstreams) {
    order.addresses.push_back(resolver_.Find(upstream.address));
  }
  order.config = FreedHere(std::move(config));
  order.credentials = FreedHere(credentials_);
  return order;
}

// Whoever lets `thing` go last, it is freed by this thread: 500 routes take 7 million instructions,
// for which no worker should stand still.
template <typename T>
std::shared_ptr<const T> Control::FreedHere(std::shared_ptr<const T> thing) {
  const T* const address = thing.get();
  return {address, [this, thing = std::move(thing)](const T*) mutable {
            Post([thing = std::move(thing)] {});
          }};
}

ConfigInForce Control::Initial() { return Order(config()); }

void Control::Run(std::vector<Worker*> workers, AcceptingEnd::Sockets sockets) {
  workers_ = std::move(workers);
  accepting_end_ = std::make_unique<AcceptingEnd>(
      std::move(sockets), [this](std::function<void()> task) { Post(std::move(task)); });
  resolver_.Add(*config());
  resolved_ = resolver_.Knows(*config());
  std::vector<Watchdog::Ask> asks;
  for (Worker* worker : workers_) {
    asks.push_back([worker](std::function<void()> answered) {
      worker->Post([answered = std::move(answered)](Worker&) { answered(); });
    });
  }
  watchdog_ = std::make_unique<Watchdog>(&loop_, std::move(asks));
  service_.Ready();
  uv_run(&loop_, UV_RUN_DEFAULT);
  std::vector<std::function<void()>> undone;  // who waits for one of them learns that it is gone
  const std::lock_guard lock(mutex_);
  ended_ = true;
  undone.swap(tasks_);
}

bool Control::Post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  tasks_.push_back(std::move(task));
  uv_async_send(&wake_);
  return true;
}

void Control::WorkerIsIdle() {
  ++idle_workers_;
  Post([this] {
    if (idle_workers_ == workers_.size()) Stop();
  });
}

bool Control::RequestReload(Reloader::Done done) {
  return Post([this, done = std::move(done)] { BeginReload("admin", done); });
}

ReloadOutcome Control::Reload() {
  auto promise = std::make_shared<std::promise<ReloadOutcome>>();
  std::future<ReloadOutcome> outcome = promise->get_future();
  // The only owner: a request that is dropped breaks the promise.
  const bool posted = RequestReload(
      [promise = std::move(promise)](const ReloadOutcome& done) { promise->set_value(done); });
  if (!posted) throw std::runtime_error("the guard is stopping");
  if (outcome.wait_for(kReloadPatience) != std::future_status::ready) {
    throw std::runtime_error("the names of new upstreams are still being looked up");
  }
  try {
    return outcome.get();
  } catch (const std::future_error&) {
    throw std::runtime_error("the guard is stopping");
  }
}

void Control::Drain() {
  Post([this] { BeginDrain(); });
}

std::shared_ptr<const Config> Control::config() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

void Control::OnWake() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const std::function<void()>& task : tasks) task();
}

void Control::OnSignal(int number) {
  if (number == SIGHUP) {
    BeginReload("signal", [](const ReloadOutcome&) {});
  } else {
    OnStopSignal();
  }
}

// The first asks, the second lets nobody finish, the third does not even let him hear of it.
void Control::OnStopSignal() {
  switch (++stop_signals_) {
    case 1:
      BeginDrain();
      break;
    case 2:
      CutWorkers();
      break;
    default:
      Stop();
  }
}

void Control::BeginReload(std::string_view why, Reloader::Done done) {
  if (stopped_) return;  // asked for in the same breath: a look-up begun now would never be ended
  service_.Reloading();
  reloader_.Reload(why, [this, done = std::move(done)](const ReloadOutcome& outcome) {
    if (state_.drain == DrainState::kOff) service_.Ready();
    if (outcome.kind == ReloadOutcome::Kind::kRejected) {
      service_.Status("Serving; the reload was refused: " + outcome.errors.front());
    }
    // Those in force are renewed whatever has become of the configuration's file.
    if (outcome.kind != ReloadOutcome::Kind::kApplied) RenewCredentials();
    done(outcome);
  });
}

// For handshakes to come: what is open stays as it is.
void Control::RenewCredentials() {
  if (stopped_) return;
  credential_watch_.Watch(FoldersOfFiles(CredentialFiles(*config())));  // links may lead elsewhere
  CredentialStore::Renewal renewal = credential_store_.Renew(*config());
  for (const std::string& why : renewal.errors) {
    ++state_.certificate_failures;
    Log(LogLevel::kError, "certificate_rejected", {{"why", why}});
  }
  if (renewal.credentials == nullptr) return;
  GiveOut(config(), std::move(renewal.credentials));
  Log(LogLevel::kInfo, "certificates_renewed", {});
}

// To the workers and the metrics page.
void Control::GiveOut(std::shared_ptr<const Config> config,
                      std::shared_ptr<const Credentials> credentials) {
  credentials_ = std::move(credentials);
  state_.SetCertificates(credentials_->Certificates());
  const ConfigInForce order = Order(std::move(config));
  for (Worker* worker : workers_) worker->Post([order](Worker& self) { self.Adopt(order); });
}

void Control::OnResolved(const Address& upstream, const std::vector<SocketAddress>& addresses) {
  if (!addresses.empty()) {
    for (Worker* worker : workers_) {
      worker->Post([upstream, addresses](Worker& self) { self.SetAddresses(upstream, addresses); });
    }
    resolved_ = resolved_ || resolver_.Knows(*config());
  }
  reloader_.Resume();
}

std::string Control::PutInForce(std::shared_ptr<const Config> config) {
  try {
    GiveOut(config, credential_store_.Load(*config));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  credential_watch_.Watch(FoldersOfFiles(CredentialFiles(*config)));
  ChangeLogging(config->logging);
  resolved_ = resolved_ || resolver_.Knows(*config);
  const std::lock_guard lock(mutex_);
  config_ = std::move(config);
  return {};
}

// Once more changes nothing.
void Control::BeginDrain() {
  if (state_.drain != DrainState::kOff) return;
  const ShutdownConfig shutdown = config()->shutdown;
  Log(LogLevel::kInfo, "stopping", {{"delay_ms", shutdown.delay}, {"drain_ms", shutdown.drain}});
  state_.drain_deadline = std::chrono::system_clock::now() + shutdown.delay + shutdown.drain;
  state_.drain = DrainState::kDelay;
  Publish(feed_, AdminEvent::Kind::kDrain, "delay");
  service_.Stopping();
  After(shutdown.delay,
        [](uv_timer_t* self) { static_cast<Control*>(self->data)->StopAccepting(); });
}

void Control::StopAccepting() {
  After(AcceptingEnd::kLongest,
        [](uv_timer_t* self) { static_cast<Control*>(self->data)->DrainWorkers(); });
  accepting_end_->Begin(workers_, [this] { DrainWorkers(); });
}

void Control::DrainWorkers() {
  if (cut_ || state_.drain == DrainState::kDraining) return;
  accepting_end_->GiveUp();
  const Millis drain = config()->shutdown.drain;
  EnterDraining(drain);
  for (Worker* worker : workers_) worker->Post([drain](Worker& self) { self.Shutdown(drain); });
  After(drain, [](uv_timer_t* self) { static_cast<Control*>(self->data)->CutWorkers(); });
}

// `left`: to the cut.
void Control::EnterDraining(Millis left) {
  state_.drain_deadline = std::chrono::system_clock::now() + left;
  if (state_.drain.exchange(DrainState::kDraining) == DrainState::kDraining) return;
  Publish(feed_, AdminEvent::Kind::kDrain, "draining");
}

// What is left is told so, and has a moment to leave. At the end of the drain, or on a second
// signal, however far the way out has got by then.
void Control::CutWorkers() {
  if (std::exchange(cut_, true)) return;
  accepting_end_->GiveUp();
  EnterDraining(Millis{0});
  for (Worker* worker : workers_) {
    worker->Post([](Worker& self) {
      self.Shutdown(Millis{0});
      self.Cut();
    });
  }
  After(kLastWords, [](uv_timer_t* self) { static_cast<Control*>(self->data)->Stop(); });
}

void Control::After(Millis time, uv_timer_cb then) {
  uv_update_time(&loop_);
  uv_timer_start(&timer_, then, static_cast<std::uint64_t>(time.count()), 0);
}

void Control::Stop() {
  if (std::exchange(stopped_, true)) return;
  for (Worker* worker : workers_) worker->Post([](Worker& self) { self.Stop(); });
  reloader_.Cancel();
  resolver_.Stop();
  if (config_watch_) config_watch_->Stop();
  credential_watch_.Stop();
  if (watchdog_) watchdog_->Stop();
  const auto release = [](auto& handle) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
  };
  for (auto& [handle, number] : signals_) release(handle);
  release(timer_);
  release(wake_);
}

}  // namespace connguard
