// The only file that drives lws: an event library of our own (lws >= 4.3, event_lib_custom),
// adoption of sockets in the raw-skt role, and callbacks. The facts behind it: proxy/docs/lws.md.
#include "net/transport.h"

#include <libwebsockets.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace connguard {

namespace {

// One read of this size at most per event: what a peer can make the guard hold beyond its limits,
// and with half of it a message of 256 KiB costs a tenth more.
constexpr unsigned kReadSize = 128 * 1024;
constexpr const char* kProtocol = "connguard";

// What lws keeps for us in its per-thread part.
struct LoopSlot {
  Transport* transport;
};

Transport& TransportOf(lws* wsi) {
  return *static_cast<LoopSlot*>(lws_evlib_wsi_to_evlib_pt(wsi))->transport;
}

// Until the descriptor has its Conn.
void OnNothing(void* /*context*/, int /*fd*/, std::uint32_t /*events*/) noexcept {}

int InitThread(lws_context* context, void* loop, int tsi) {
  static_cast<LoopSlot*>(lws_evlib_tsi_to_evlib_pt(context, tsi))->transport =
      static_cast<Transport*>(loop);
  return 0;
}

int AddSocket(lws* wsi) {
  Transport& transport = TransportOf(wsi);
  // Lws's own, by which threads wake it: ours have a mailbox, and it wakes itself at each adoption.
  if (!transport.begun()) return 0;
  transport.loop().Watch(lws_get_socket_fd(wsi), EPOLLIN, OnNothing, nullptr);
  return 0;
}

void ChangeInterest(lws* wsi, unsigned flags) {
  const std::uint32_t events =
      ((flags & LWS_EV_READ) != 0 ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
      ((flags & LWS_EV_WRITE) != 0 ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  const bool start = (flags & LWS_EV_START) != 0;
  TransportOf(wsi).loop().Change(lws_get_socket_fd(wsi), start ? events : 0, start ? 0 : events);
}

int ForgetSocket(lws* wsi) {
  const lws_sockfd_type fd = lws_get_socket_fd(wsi);
  if (fd != LWS_SOCK_INVALID) TransportOf(wsi).loop().Forget(fd, true);
  return 0;
}

lws_event_loop_ops MakeOps() {
  lws_event_loop_ops ops{};
  ops.name = "connguard";
  ops.init_pt = InitThread;
  ops.init_vhost_listen_wsi = AddSocket;
  ops.sock_accept = AddSocket;
  ops.io = ChangeInterest;
  ops.wsi_logical_close = ForgetSocket;
  ops.evlib_size_pt = sizeof(LoopSlot);
  return ops;
}

const lws_event_loop_ops kOps = MakeOps();
const lws_plugin_evlib_t kEventLibrary = {
    {"connguard", "lws_evlib_plugin", LWS_BUILD_HASH, LWS_PLUGIN_API_MAGIC}, &kOps};

// EPOLLERR says that there is one; the socket, which. Taken off it, reading sees the end instead.
int TakeError(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  const bool known = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0;
  return known ? error : ECONNRESET;
}

int OnLws(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in, std::size_t size) {
  switch (reason) {
    case LWS_CALLBACK_RAW_RX:
    case LWS_CALLBACK_RAW_WRITEABLE:
    case LWS_CALLBACK_RAW_CLOSE:
      return TransportOf(wsi).HandleCallback(wsi, reason, in, size);
    default:
      return 0;
  }
}

const lws_protocols kProtocols[] = {{kProtocol, OnLws, 0, 0, 0, nullptr, 0},
                                    {nullptr, nullptr, 0, 0, 0, nullptr, 0}};

}  // namespace

Transport::Transport(EventLoop& loop)
    : loop_(loop),
      log_(std::make_unique<lws_log_cx>()),
      received_(std::make_unique_for_overwrite<std::uint8_t[]>(kReadSize)) {
  lws_context_creation_info info{};
  // By default all contexts share one log context, whose count of users is not atomic, and format
  // in one static buffer: workers would race on both. Ours is silent and belongs to one thread.
  info.log_cx = log_.get();
  void* loops[] = {this};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = kProtocols;
  info.event_lib_custom = &kEventLibrary;
  info.foreign_loops = loops;
  info.pt_serv_buf_size = kReadSize + LWS_PRE;
  info.gid = static_cast<gid_t>(-1);
  info.uid = static_cast<uid_t>(-1);
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  context_ = lws_create_context(&info);
  if (context_ == nullptr) throw std::runtime_error("libwebsockets: cannot create a context");
  // By name, so that the end of an adoption does not go through lws's roles once more.
  info.options = LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG;
  info.listen_accept_role = "raw-skt";
  info.listen_accept_protocol = kProtocol;
  vhost_ = lws_create_vhost(context_, &info);
  if (vhost_ == nullptr) throw std::runtime_error("libwebsockets: cannot create a vhost");
}

Transport::~Transport() { lws_context_destroy(context_); }

std::unique_ptr<Conn> Transport::Adopt(int fd, ConnHandler* handler, Adopted how,
                                       std::unique_ptr<TlsStream> tls) {
  const bool dialled = how != Adopted::kAccepted;
  std::unique_ptr<Conn> conn(new Conn(*this, handler, dialled, std::move(tls)));
  lws_adopt_desc_t adoption{};
  adoption.vh = vhost_;
  adoption.type = LWS_ADOPT_SOCKET;
  adoption.fd.sockfd = fd;
  adoption.vh_prot_name = kProtocol;
  adoption.opaque = conn.get();
  asked_ = true;
  conn->wsi_ = lws_adopt_descriptor_vhost_via_info(&adoption);
  if (conn->wsi_ == nullptr) return nullptr;
  loop_.Redirect(fd, OnEvents, conn.get());
  if (how == Adopted::kConnecting) lws_callback_on_writable(conn->wsi_);
  if (how == Adopted::kConnected) connected_.push_back(conn.get());
  return conn;
}

void Transport::TellConnected() {
  // Who is told may dial again, or let others go.
  for (std::size_t i = 0; i < connected_.size(); ++i) {
    if (Conn* const conn = std::exchange(connected_[i], nullptr)) conn->HandleConnected();
  }
  connected_.clear();
}

void Transport::Forget(const Conn& conn) { std::ranges::replace(connected_, &conn, nullptr); }

Millis Transport::Prepare() {
  constexpr int kLongest = 60'000;
  if (!connected_.empty()) TellConnected();
  // Only calls of lws and the time change what it answers; plain reads and writes pass it by.
  if (!asked_ && loop_.now() < due_) return std::chrono::ceil<Millis>(due_ - loop_.now());
  asked_ = false;
  int wait = lws_service_adjust_timeout(context_, kLongest, 0);
  if (wait == 0) {
    _lws_plat_service_forced_tsi(context_, 0);
    wait = lws_service_adjust_timeout(context_, kLongest, 0);
  }
  due_ = loop_.now() + Millis(wait);
  return Millis(wait);
}

void Transport::OnEvents(void* conn, int fd, std::uint32_t events) noexcept {
  auto& self = *static_cast<Conn*>(conn);
  self.transport_.HandleEvents(self, fd, events);
}

// Plain reading, most of all events, is not worth lws's way through roles and protocols. False when
// lws is to find out what is the matter.
bool Transport::Read(Conn& conn, int fd, bool hung_up) {
  const ssize_t size = recv(fd, received_.get(), kReadSize, 0);
  if (size > 0) {
    conn.HandleReceive({received_.get(), static_cast<std::size_t>(size)});
    return true;
  }
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size < 0) error_ = errno;  // it is off the socket now
  // A FIN. But hung up before our own, the socket was closed by an RST that somebody has taken off.
  if (size == 0 && (!hung_up || conn.finish_)) {
    conn.heard_fin_ = true;
    Close(conn.wsi_);
    return true;
  }
  return false;
}

void Transport::HandleEvents(Conn& conn, int fd, std::uint32_t events) {
  const bool plain = (events & EPOLLIN) != 0 && (events & (EPOLLOUT | EPOLLERR)) == 0;
  if (plain && !conn.paused() && Read(conn, fd, (events & EPOLLHUP) != 0)) return;
  const std::uint32_t wanted = loop_.Wanted(fd);
  lws_pollfd poll{};
  poll.fd = fd;
  if ((wanted & EPOLLIN) != 0) poll.events |= LWS_POLLIN;
  if ((wanted & EPOLLOUT) != 0) poll.events |= LWS_POLLOUT;
  if ((events & EPOLLIN) != 0) poll.revents |= LWS_POLLIN;
  if ((events & EPOLLOUT) != 0) poll.revents |= LWS_POLLOUT;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    // lws would close at once on POLLHUP and lose what is unread. Reading comes to the end by
    // itself; a leg that is not being read waits until it is.
    if ((wanted & EPOLLIN) == 0) {
      loop_.Suspend(fd);
      return;
    }
    poll.revents |= LWS_POLLIN;
  }
  if ((events & EPOLLERR) != 0) error_ = TakeError(fd);
  asked_ = true;
  lws_service_fd_tsi(context_, &poll, 0);
  error_ = 0;
}

int Transport::HandleCallback(lws* wsi, int reason, void* in, std::size_t size) {
  auto* conn = static_cast<Conn*>(lws_get_opaque_user_data(wsi));
  if (reason == LWS_CALLBACK_RAW_CLOSE) {
    if (conn != nullptr) {
      lws_set_opaque_user_data(wsi, nullptr);
      conn->HandleGone();
    }
    return 0;
  }
  if (conn == nullptr) return -1;
  lws* const outer = current_;
  current_ = wsi;
  if (reason == LWS_CALLBACK_RAW_RX) {
    conn->HandleReceive({static_cast<const std::uint8_t*>(in), size});
  } else {
    conn->HandleWriteable();
  }
  current_ = outer;
  // The Conn may have let go meanwhile; only lws may close a wsi in its own callback.
  return lws_get_opaque_user_data(wsi) == nullptr ? -1 : 0;
}

void Transport::Drop(lws* wsi) {
  lws_set_opaque_user_data(wsi, nullptr);
  if (wsi != current_) Close(wsi);
}

void Transport::Close(lws* wsi) {
  asked_ = true;
  lws_set_timeout(wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
}

}  // namespace connguard
