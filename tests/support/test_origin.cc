// A listening socket and what it accepts.
#include "support/test_origin.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "support/test_client.h"

namespace connguard::testing {

namespace {

bool Comes(int listener, std::chrono::milliseconds time) {
  pollfd one{.fd = listener, .events = POLLIN, .revents = 0};
  return poll(&one, 1, static_cast<int>(time.count())) > 0;
}

}  // namespace

std::string OriginLeg::Upgraded(std::string_view fields) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         std::string(kSampleAccept) + "\r\n" + std::string(fields) + "\r\n";
}

std::string OriginLeg::Upgrade(std::string_view fields) {
  std::string request = ReadRequest();
  Send(Upgraded(fields));
  return request;
}

TestOrigin::TestOrigin(const std::string& path) {
  Address wanted;
  wanted.path = path;
  if (path.empty()) wanted.host = "127.0.0.1";
  listener_ = std::move(OpenListeners(wanted, 1, address_).front());
}

std::string TestOrigin::url() const {
  return address_.is_unix() ? address_.ToString() : "http://" + address_.ToString();
}

OriginLeg TestOrigin::Accept() {
  if (!Comes(listener_.get(), kPatience)) throw std::runtime_error("the guard does not connect");
  Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd) throw std::system_error(errno, std::generic_category(), "accept");
  return OriginLeg(std::move(fd));
}

bool TestOrigin::NobodyComes(std::chrono::milliseconds time) {
  return !Comes(listener_.get(), time);
}

}  // namespace connguard::testing
