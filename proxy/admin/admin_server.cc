// The admin endpoints: a listening socket of our own, libwebsockets' http role above it.
#include "admin/admin_server.h"

#include <fcntl.h>
#include <libwebsockets.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include "admin/drain_waiters.h"
#include "admin/endpoints.h"
#include "admin/event_streams.h"
#include "admin/http_exchange.h"
#include "admin/http_request.h"
#include "admin/listen_socket.h"
#include "admin/lws_log.h"
#include "log/blocked_signals.h"
#include "log/log.h"

namespace connguard {
namespace {

constexpr std::size_t kConnections = 64;
constexpr int kTimeoutSeconds = 5;  // for a request's head, for a body, between two requests
constexpr int kAcceptPauseMicros = 100'000;
constexpr unsigned kHeadBytes =
    16 * 1024;  // a browser sends the cookies of all that localhost serves
constexpr Millis kBetweenSamples{5'000};

// Calls lws_cancel_service from any thread, until it is told that the context is going.
class Waker {
 public:
  explicit Waker(lws_context* context) : context_(context) {}
  void Wake() {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) lws_cancel_service(context_);
  }
  void Forget() {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  lws_context* context_;
};

// Calls `task` again and again on the thread of lws.
struct Timer {
  lws_sorted_usec_list_t sul{};  // first: its address is the timer's
  lws_context* context = nullptr;
  Millis period{0};
  std::function<void()> task{};

  void Start(lws_context* on, Millis every, std::function<void()> what) {
    context = on;
    period = every;
    task = std::move(what);
    Arm();
  }
  void Arm() {
    lws_sul_schedule(context, 0, &sul, Fire, std::chrono::microseconds(period).count());
  }
  static void Fire(lws_sorted_usec_list_t* sul) noexcept {
    auto* const timer = reinterpret_cast<Timer*>(sul);
    timer->task();
    timer->Arm();
  }
};

}  // namespace

struct AdminServer::Impl {
  Impl(const AdminConfig& config, Sources sources, AdminTiming the_timing)
      : timing(the_timing),
        socket(config.bind),
        feed(sources.events),
        streams(sources.events, config.show_keys, timing),
        waiters(sources.state, timing),
        endpoints(config, std::move(sources)) {}
  ~Impl();

  void Start();
  static int Callback(lws* wsi, lws_callback_reasons reason, void* unused, void* in,
                      std::size_t size) noexcept;
  int Handle(lws* wsi, lws_callback_reasons reason, const char* in, std::size_t size);

  struct Connection {
    HttpExchange exchange;
    std::uint64_t since = 0;  // the step in which it came or began its last request
  };

  void AcceptOne(lws* listener);
  void MakeRoom();
  int Request(lws* wsi, std::string_view path);
  int Wait(lws* wsi, HttpExchange& exchange, const AdminRequest& request);
  int Writable(lws* wsi);
  void Sample();

  const AdminTiming timing;
  ListenSocket socket;
  EventFeed* const feed;
  lws_context* context = nullptr;
  std::shared_ptr<Waker> waker;
  // The rest is the thread's own.
  EventStreams streams;
  DrainWaiters waiters;
  Endpoints endpoints;
  Timer keep_alive;
  Timer samples;
  std::unordered_map<lws*, Connection> connections;
  std::uint64_t step = 0;
  std::atomic<bool> stopping{false};
  std::thread thread;
};

// noexcept: an exception must not cross lws; only memory that has run out could throw here.
int AdminServer::Impl::Callback(lws* wsi, lws_callback_reasons reason, void*, void* in,
                                std::size_t size) noexcept {
  auto* const impl = static_cast<Impl*>(lws_context_user(lws_get_context(wsi)));
  return impl->Handle(wsi, reason, static_cast<const char*>(in), size);
}

void AdminServer::Impl::Start() {
  RouteLwsLog();
  static const std::array<lws_protocols, 2> kProtocols{
      {{"admin", Callback, 0, 0, 0, nullptr, 0}, {}}};
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.protocols = kProtocols.data();
  info.user = this;
  info.timeout_secs = kTimeoutSeconds;
  info.keepalive_timeout = kTimeoutSeconds;
  info.max_http_header_pool = kConnections + 8;
  info.max_http_header_data2 = kHeadBytes;
  info.options = LWS_SERVER_OPTION_NO_LWS_SYSTEM_STATES;
  context = lws_create_context(&info);
  if (context == nullptr) throw std::runtime_error("libwebsockets made no context");
  lws_sock_file_fd_type listener{};
  listener.filefd = fcntl(socket.descriptor(), F_DUPFD_CLOEXEC, 0);  // lws closes its own
  if (listener.filefd < 0 ||
      lws_adopt_descriptor_vhost(lws_get_vhost_by_name(context, "default"), LWS_ADOPT_RAW_FILE_DESC,
                                 listener, nullptr, nullptr) == nullptr) {
    throw std::runtime_error("libwebsockets did not take the listening socket");
  }
  keep_alive.Start(context, timing.keep_alive, [this] { streams.KeepAlive(); });
  samples.Start(context, kBetweenSamples, [this] { Sample(); });
  waker = std::make_shared<Waker>(context);
  if (feed != nullptr) feed->SetWake([w = waker] { w->Wake(); });
  const BlockedSignals for_the_new_thread;
  thread = std::thread([this] {
    while (!stopping.load(std::memory_order_relaxed)) lws_service(context, 0);
  });
}

AdminServer::Impl::~Impl() {
  if (feed != nullptr) feed->SetWake(nullptr);
  if (waker) waker->Forget();
  stopping.store(true, std::memory_order_relaxed);
  if (thread.joinable()) {
    lws_cancel_service(context);
    thread.join();
  }
  if (context == nullptr) return;
  waiters.Drained();  // nobody else is on this context any more
  lws_sul_cancel(&keep_alive.sul);
  lws_sul_cancel(&samples.sul);
  lws_context_destroy(context);
}

void AdminServer::Impl::Sample() {
  try {
    endpoints.SampleCloses(std::chrono::system_clock::now());
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "admin_sample_failed", {{"error", error.what()}});
  }
}

// Not many can wait: MakeRoom keeps their number down.
void AdminServer::Impl::AcceptOne(lws* listener) {
  const int connection = socket.Accept();
  if (connection >= 0) {
    MakeRoom();
    lws_adopt_socket_vhost(lws_get_vhost(listener), connection);
    return;
  }
  if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
  // The connection stays in the backlog, so the socket stays readable: look again in a while.
  lws_rx_flow_control(listener, 0);
  lws_set_timer_usecs(listener, kAcceptPauseMicros);
}

void AdminServer::Impl::MakeRoom() {
  for (std::size_t extra = connections.size() + 1; extra > kConnections; --extra) {
    auto oldest = connections.end();
    for (auto it = connections.begin(); it != connections.end(); ++it) {
      // There are never so many of these that no others are left.
      if (streams.Has(it->first) || waiters.Has(it->first)) continue;
      if (oldest == connections.end() || it->second.since < oldest->second.since) oldest = it;
    }
    lws_set_timeout(oldest->first, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    oldest->second.since = ++step;  // not the oldest again before it is gone
  }
}

int AdminServer::Impl::Request(lws* wsi, std::string_view path) {
  const auto found = connections.find(wsi);
  if (found == connections.end() || waiters.Has(wsi)) return -1;
  found->second.since = ++step;
  const AdminRequest request = ReadRequest(wsi, path);
  AdminAnswer answer = endpoints.Answer(request);
  if (answer.until_drained) return Wait(wsi, found->second.exchange, request);
  if (request.method != "GET" || !answer.events) {
    return found->second.exchange.Begin(wsi, request, answer);
  }
  if (streams.full()) {
    answer = Problem(503, "Service Unavailable", "There are as many streams of events as can be.");
    answer.fields.emplace_back("retry-after", "10");
    return found->second.exchange.Begin(wsi, request, answer);
  }
  streams.Open(wsi, *answer.events);
  const int closes = found->second.exchange.Begin(wsi, request, answer);
  if (closes == 0) streams.Begun(wsi);
  return closes;
}

int AdminServer::Impl::Wait(lws* wsi, HttpExchange& exchange, const AdminRequest& request) {
  if (!waiters.full()) {
    waiters.Add(wsi, request);
    return 0;
  }
  AdminAnswer answer = Problem(503, "Service Unavailable", "As many as can be wait already.");
  answer.fields.emplace_back("retry-after", "10");
  return exchange.Begin(wsi, request, answer);
}

int AdminServer::Impl::Writable(lws* wsi) {
  if (streams.Has(wsi)) return streams.Continue(wsi);
  const auto found = connections.find(wsi);
  return found == connections.end() ? -1 : found->second.exchange.Continue(wsi);
}

int AdminServer::Impl::Handle(lws* wsi, lws_callback_reasons reason, const char* in,
                              std::size_t size) {
  switch (reason) {
    case LWS_CALLBACK_RAW_RX_FILE:
      AcceptOne(wsi);
      return 0;
    case LWS_CALLBACK_TIMER:
      if (waiters.Has(wsi)) return waiters.Late(wsi);
      lws_rx_flow_control(wsi, 1);  // the listener
      return 0;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
      connections[wsi].since = ++step;
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      connections.erase(wsi);
      streams.Close(wsi);
      waiters.Remove(wsi);
      return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
      streams.Deliver();
      return 0;
    case LWS_CALLBACK_HTTP:
      return Request(wsi, {in, size});
    case LWS_CALLBACK_HTTP_WRITEABLE:
      return Writable(wsi);
    case LWS_CALLBACK_HTTP_BODY: {
      const auto found = connections.find(wsi);
      return found == connections.end() ? -1 : found->second.exchange.Discard(size);
    }
    // Upgrades (WebSocket, h2c) and CONNECT: not here.
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_RAW_ADOPT:
      return -1;
    default:
      return 0;
  }
}

AdminServer::AdminServer(const AdminConfig& config, Sources sources, AdminTiming timing) try
    : impl_(std::make_unique<Impl>(config, std::move(sources), timing)) {
  impl_->Start();
} catch (const std::runtime_error& error) {
  throw std::runtime_error(std::string("admin: ") + error.what());
}

AdminServer::~AdminServer() = default;

std::uint16_t AdminServer::port() const { return impl_->socket.port(); }

}  // namespace connguard
