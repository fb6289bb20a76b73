// What the code relies on in libwebsockets (proxy/docs/lws.md), one test for each fact, so that an
// upgrade tells what changed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <libwebsockets.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/event_loop.h"
#include "net/socket.h"
#include "net/transport.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;

// A connected pair, neither end of which blocks.
std::pair<Fd, Fd> Pair() {
  std::array<int, 2> ends{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

void Say(const Fd& fd, std::string_view text) {
  EXPECT_EQ(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

// Reads what is there. Returns how much it was.
std::size_t Drain(const Fd& fd) {
  std::array<char, 65536> chunk;
  std::size_t total = 0;
  for (ssize_t got = 0; (got = recv(fd.get(), chunk.data(), chunk.size(), 0)) > 0;) {
    total += static_cast<std::size_t>(got);
  }
  return total;
}

// A context on lws's own poll loop.
class LwsFactsTest : public ::testing::Test {
 protected:
  struct Seen {
    std::string received;
    int file_events = 0;  // of the raw file role
    int closed = 0;
  };

  LwsFactsTest() {
    lws_context_creation_info info{};
    info.log_cx = &log_;
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = kProtocols;
    info.user = this;
    info.gid = static_cast<gid_t>(-1);
    info.uid = static_cast<uid_t>(-1);
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    context_ = lws_create_context(&info);
    info.vhost_name = "plain";
    plain_ = lws_create_vhost(context_, &info);
    info.vhost_name = "raw";
    info.options = LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG;
    info.listen_accept_role = "raw-skt";
    info.listen_accept_protocol = "facts";
    raw_ = lws_create_vhost(context_, &info);
  }
  ~LwsFactsTest() override { Destroy(); }

  void Destroy() {
    if (context_ != nullptr) lws_context_destroy(std::exchange(context_, nullptr));
  }

  lws* Adopt(lws_vhost* vhost, Fd fd) {
    lws_adopt_desc_t adoption{};
    adoption.vh = vhost;
    adoption.type = LWS_ADOPT_SOCKET;
    adoption.fd.sockfd = fd.Take();
    adoption.vh_prot_name = "facts";
    return lws_adopt_descriptor_vhost_via_info(&adoption);
  }

  // Everything is ready before it is called: a few turns serve all that will ever be served.
  void Serve() {
    for (int turn = 0; turn < 10; ++turn) lws_service(context_, -1);
  }

  static int OnLws(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in,
                   std::size_t size) {
    if (wsi == nullptr || lws_get_context(wsi) == nullptr) return 0;
    auto* test = static_cast<LwsFactsTest*>(lws_context_user(lws_get_context(wsi)));
    if (reason == LWS_CALLBACK_RAW_RX) {
      test->seen_[wsi].received.append(static_cast<const char*>(in), size);
      if (test->on_receive_) test->on_receive_(wsi);
    } else if (reason == LWS_CALLBACK_RAW_RX_FILE) {
      ++test->seen_[wsi].file_events;
      return -1;  // nobody reads: it would come again and again
    } else if (reason == LWS_CALLBACK_RAW_CLOSE) {
      ++test->seen_[wsi].closed;
    }
    return 0;
  }

  static constexpr lws_protocols kProtocols[] = {{"facts", OnLws, 0, 0, 0, nullptr, 0},
                                                 {nullptr, nullptr, 0, 0, 0, nullptr, 0}};

  lws_log_cx log_{};  // silent
  lws_context* context_ = nullptr;
  lws_vhost* plain_ = nullptr;
  lws_vhost* raw_ = nullptr;
  std::map<lws*, Seen> seen_;
  std::function<void(lws*)> on_receive_;
};

TEST_F(LwsFactsTest, TheLibraryIsTheOneOfTheHeadersAndHasCustomEventLoops) {
  EXPECT_GE(LWS_LIBRARY_VERSION_NUMBER, 4'003'000);
  EXPECT_TRUE(std::string_view(lws_get_library_version()).starts_with(LWS_LIBRARY_VERSION));
}

TEST_F(LwsFactsTest, AdoptionWithoutARoleByNameMakesARawSocketToo) {
  auto [ours, theirs] = Pair();
  lws* wsi = Adopt(plain_, std::move(ours));
  ASSERT_NE(wsi, nullptr);
  Say(theirs, "hello");
  Serve();
  EXPECT_EQ(seen_[wsi].received, "hello");
  EXPECT_EQ(seen_[wsi].file_events, 0);
}

TEST_F(LwsFactsTest, TheVhostsAcceptRoleMakesItARawSocket) {
  auto [ours, theirs] = Pair();
  lws* wsi = Adopt(raw_, std::move(ours));
  ASSERT_NE(wsi, nullptr);
  Say(theirs, "hello");
  Serve();
  EXPECT_EQ(seen_[wsi].received, "hello");
  EXPECT_EQ(seen_[wsi].file_events, 0);
}

TEST_F(LwsFactsTest, NothingIsReadWhileARestIsUnsent) {
  auto [ours, theirs] = Pair();
  lws* wsi = Adopt(raw_, std::move(ours));
  std::vector<unsigned char> data(LWS_PRE + 4'000'000, 'x');
  EXPECT_EQ(lws_write(wsi, data.data() + LWS_PRE, data.size() - LWS_PRE, LWS_WRITE_RAW),
            static_cast<int>(data.size() - LWS_PRE));
  ASSERT_EQ(lws_partial_buffered(wsi), 1);
  Say(theirs, "hello");
  Serve();
  EXPECT_EQ(seen_[wsi].received, "");
  std::size_t drained = 0;
  for (int turn = 0; turn < 1000 && lws_partial_buffered(wsi) == 1; ++turn) {
    drained += Drain(theirs);
    Serve();
  }
  drained += Drain(theirs);
  EXPECT_EQ(drained, data.size() - LWS_PRE);
  EXPECT_EQ(seen_[wsi].received, "hello");
}

TEST_F(LwsFactsTest, EndOfStreamClosesAtOnce) {
  auto [ours, theirs] = Pair();
  lws* wsi = Adopt(raw_, std::move(ours));
  shutdown(theirs.get(), SHUT_WR);  // it would still read
  Serve();
  EXPECT_EQ(seen_[wsi].closed, 1);
}

TEST_F(LwsFactsTest, AnotherWsisCallbackMayKillAtOnce) {
  auto [ours, theirs] = Pair();
  auto [others, peer] = Pair();
  lws* wsi = Adopt(raw_, std::move(ours));
  lws* other = Adopt(raw_, std::move(others));
  int closed_within = 0;
  on_receive_ = [&](lws*) {
    lws_set_timeout(other, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
    closed_within = seen_[other].closed;
  };
  Say(theirs, "go");
  Serve();
  EXPECT_EQ(closed_within, 1);
  EXPECT_EQ(seen_[wsi].closed, 0);
  char byte = 0;
  EXPECT_EQ(recv(peer.get(), &byte, 1, 0), 0);
}

TEST_F(LwsFactsTest, AHangUpWhileReadingIsPausedLosesWhatIsUnread) {
  auto [ours, theirs] = Pair();
  const int fd = ours.get();
  lws* wsi = Adopt(raw_, std::move(ours));
  lws_rx_flow_control(wsi, 0);
  Serve();
  Say(theirs, "last words");
  theirs = Fd();
  lws_pollfd told{};  // as a loop tells it that wants nothing of this socket
  told.fd = fd;
  told.revents = LWS_POLLHUP;
  lws_service_fd(context_, &told);
  EXPECT_EQ(seen_[wsi].closed, 1);
  EXPECT_EQ(seen_[wsi].received, "");
}

TEST_F(LwsFactsTest, ADestroyedContextLeavesOneDescriptorOpen) {
  const auto descriptors = [] {
    const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(entries), end(entries));
  };
  Destroy();
  const auto before = descriptors();
  lws_context_creation_info info{};
  info.log_cx = &log_;
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = kProtocols;
  info.user = this;
  lws_context_destroy(lws_create_context(&info));
  EXPECT_EQ(descriptors(), before + 1);
}

// --- what Transport makes of it

class HangUp : public ConnHandler {
 public:
  explicit HangUp(EventLoop& loop) : loop_(loop) {}

  void OnConnected(Conn& /*conn*/) noexcept override {}
  void OnReceive(Conn& /*conn*/, std::span<const std::uint8_t> data) noexcept override {
    received.append(data.begin(), data.end());
  }
  void OnProgress(Conn& /*conn*/) noexcept override {}
  void OnEnd(Conn& /*conn*/, ConnEnd /*end*/) noexcept override {
    ended = true;
    loop_.Stop();
  }

  std::string received;
  bool ended = false;

 private:
  EventLoop& loop_;
};

TEST(TransportFactsTest, AHangUpWhileReadingIsPausedIsReadLater) {
  EventLoop loop;
  Transport transport(loop);
  loop.SetPrepare([](void* self) noexcept { return static_cast<Transport*>(self)->Prepare(); },
                  &transport);
  HangUp handler(loop);
  auto [ours, theirs] = Pair();
  std::unique_ptr<Conn> conn = transport.Adopt(ours.Take(), &handler, Adopted::kAccepted);
  conn->Pause();
  Say(theirs, "last words");
  theirs = Fd();
  struct Turn {
    Conn& conn;
    const HangUp& handler;
    bool lost = false;
  } turn{*conn, handler};
  Timer timer(
      [](void* context) noexcept {
        auto& self = *static_cast<Turn*>(context);
        self.lost = self.handler.ended || !self.handler.received.empty();
        self.conn.Resume();
      },
      &turn);
  // The hang-up is there at once; it is told to nobody before reading goes on.
  loop.timers().Arm(timer, loop.now() + 50ms);
  loop.Run();
  EXPECT_FALSE(turn.lost);
  EXPECT_EQ(handler.received, "last words");
}

}  // namespace
}  // namespace connguard
