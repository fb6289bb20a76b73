// The composition root: listeners, workers, admin endpoint, control thread.
#include "app/guard.h"

#include <signal.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "admin/admin_server.h"
#include "admin/lws_log.h"
#include "admin/metrics_page.h"
#include "app/resolver.h"
#include "app/worker.h"
#include "log/log.h"

namespace connguard {

namespace {

unsigned WorkerCount(const Config& config) {
  return config.workers > 0 ? config.workers : std::max(1U, uv_available_parallelism());
}

// The control thread's libuv loop: signals, name resolution, the end.
class Control {
 public:
  explicit Control(const Config& config) : config_(config) {
    uv_loop_init(&loop_);
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
    uv_async_init(&loop_, &idle_, [](uv_async_t* self) {
      auto* control = static_cast<Control*>(self->data);
      if (control->idle_workers_ == control->workers_.size()) control->Stop();
    });
    timer_.data = this;
    idle_.data = this;
  }

  ~Control() { uv_loop_close(&loop_); }

  // Any thread.
  void WorkerIsIdle() {
    ++idle_workers_;
    uv_async_send(&idle_);
  }
  bool draining() const { return draining_; }

  // False until every upstream's name has been resolved once. Any thread.
  bool resolved() const { return unresolved_ == 0; }

  // Lets the workers know where the upstreams are, as far as that needs no look-up.
  void Resolve(std::vector<Worker*> workers) {
    workers_ = std::move(workers);
    std::vector<bool> known(config_.upstreams.size());
    unresolved_ = known.size();
    resolver_ = std::make_unique<Resolver>(
        &loop_, config_,
        [this, known](std::size_t upstream, const std::vector<SocketAddress>& addresses) mutable {
          if (!known[upstream]) --unresolved_;
          known[upstream] = true;
          for (Worker* worker : workers_) {
            worker->Post(
                [upstream, addresses](Worker& self) { self.SetAddresses(upstream, addresses); });
          }
        });
  }

  void Run() { uv_run(&loop_, UV_RUN_DEFAULT); }

 private:
  struct Signal {
    uv_signal_t handle;
    int number;
  };

  void OnSignal(int number) {
    if (number == SIGHUP) {
      Log(LogLevel::kWarn, "reload_ignored", {{"why", "reload is not supported in this version"}});
    } else if (draining_) {
      Stop();
    } else {
      Log(LogLevel::kInfo, "stopping", {{"delay_ms", config_.shutdown.delay}});
      draining_ = true;
      After(config_.shutdown.delay,
            [](uv_timer_t* self) { static_cast<Control*>(self->data)->Drain(); });
    }
  }

  void Drain() {
    for (Worker* worker : workers_) worker->Post([](Worker& self) { self.Shutdown(); });
    After(config_.shutdown.drain,
          [](uv_timer_t* self) { static_cast<Control*>(self->data)->Stop(); });
  }

  void After(Millis time, uv_timer_cb then) {
    uv_timer_start(&timer_, then, static_cast<std::uint64_t>(time.count()), 0);
  }

  void Stop() {
    if (stopped_) return;
    stopped_ = true;
    for (Worker* worker : workers_) worker->Post([](Worker& self) { self.Stop(); });
    resolver_->Stop();
    for (auto& [handle, number] : signals_) Release(handle);
    Release(timer_);
    Release(idle_);
  }

  template <typename Handle>
  static void Release(Handle& handle) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
  }

  const Config& config_;
  uv_loop_t loop_{};
  Signal signals_[3] = {{{}, SIGTERM}, {{}, SIGINT}, {{}, SIGHUP}};
  uv_timer_t timer_{};
  uv_async_t idle_{};
  std::unique_ptr<Resolver> resolver_;
  std::vector<Worker*> workers_;
  std::atomic<std::size_t> idle_workers_{0};
  std::atomic<bool> draining_{false};
  std::atomic<std::size_t> unresolved_{0};
  bool stopped_ = false;
};

std::unique_ptr<AdminServer> StartAdmin(const Config& config, const Control& control,
                                        const Shared& shared, Listening& listening) {
  if (!config.admin) return nullptr;
  std::vector<std::string> routes;
  for (const RouteConfig& route : config.routes) routes.push_back(route.name);
  std::vector<const WorkerMetrics*> metrics;
  for (Worker* worker : shared.workers) metrics.push_back(&worker->metrics());
  auto page = std::make_shared<MetricsPage>(std::move(routes), std::move(metrics));
  AdminServer::Sources sources;
  sources.metrics = [page] { return page->Render(); };
  sources.not_ready_reason = [&control]() -> std::optional<std::string> {
    if (control.draining()) return "draining";
    if (!control.resolved()) return "an upstream's name is not resolved yet";
    return std::nullopt;
  };
  auto server = std::make_unique<AdminServer>(*config.admin, std::move(sources));
  listening.admin = *config.admin;
  if (!config.admin->is_unix()) listening.admin->port = server->port();
  return server;
}

}  // namespace

void RunGuard(const Config& config, const std::function<void(const Listening&)>& ready) {
  signal(SIGPIPE, SIG_IGN);
  RouteLwsLog();
  const unsigned count = WorkerCount(config);
  Listening listening;
  std::vector<std::vector<Fd>> sockets(count);
  for (const ListenerConfig& listener : config.listeners) {
    Address bound;
    std::vector<Fd> opened = OpenListeners(listener.bind, count, bound);
    for (unsigned i = 0; i < count; ++i) sockets[i].push_back(std::move(opened[i]));
    listening.listeners.push_back(bound);
  }
  Control control(config);
  Shared shared{
      config, {}, 0, std::vector<Shared::Held>(count), [&control] { control.WorkerIsIdle(); }};
  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(shared, i, std::move(sockets[i])));
    shared.workers.push_back(workers.back().get());
  }
  const std::unique_ptr<AdminServer> admin = StartAdmin(config, control, shared, listening);
  control.Resolve(shared.workers);
  for (const auto& worker : workers) worker->StartThread();
  Log(LogLevel::kInfo, "listening",
      {{"address", listening.listeners.front().ToString()},
       {"admin", listening.admin ? listening.admin->ToString() : "off"},
       {"workers", count}});
  if (ready) ready(listening);
  control.Run();
  for (const auto& worker : workers) worker->Join();
  for (const ListenerConfig& listener : config.listeners) {
    if (listener.bind.is_unix()) RemoveSocketFile(listener.bind.path);
  }
  Log(LogLevel::kInfo, "stopped");
}

}  // namespace connguard
