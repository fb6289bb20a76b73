// Classic BPF over the sockets of an address.
#include "net/handover.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

// Not in every libc's headers.
#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

namespace connguard {

namespace {

constexpr std::string_view kListening = "0A";  // TCP_LISTEN

// As the kernel's table has it: 32-bit words in the host's order, and the port.
std::string InTable(std::span<const std::uint32_t> words, in_port_t port) {
  std::string text;
  std::array<char, 16> part{};
  for (const std::uint32_t word : words) {
    std::snprintf(part.data(), part.size(), "%08X", word);
    text += part.data();
  }
  std::snprintf(part.data(), part.size(), ":%04X", unsigned{ntohs(port)});
  return text + part.data();
}

struct Place {
  const char* table;
  std::string address;
};

std::optional<Place> PlaceOf(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return std::nullopt;
  if (name.ss_family == AF_INET) {
    const auto& ip = reinterpret_cast<const sockaddr_in&>(name);
    const std::array<std::uint32_t, 1> words{ip.sin_addr.s_addr};
    return Place{"/proc/self/net/tcp", InTable(words, ip.sin_port)};
  }
  if (name.ss_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6&>(name);
    return Place{"/proc/self/net/tcp6", InTable(ip.sin6_addr.s6_addr32, ip.sin6_port)};
  }
  return std::nullopt;
}

ino_t InodeOf(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

bool Attach(int fd, int option, std::span<sock_filter> code) {
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  return setsockopt(fd, SOL_SOCKET, option, &program, sizeof(program)) == 0;
}

// Every connection comes to the socket with this index; to any when there is none.
void SteerToOne(int fd, std::size_t index) {
  auto code =
      std::to_array<sock_filter>({BPF_STMT(BPF_RET | BPF_K, static_cast<std::uint32_t>(index))});
  Attach(fd, SO_ATTACH_REUSEPORT_CBPF, code);
}

// A SYN that is lost comes again; one that meets a socket which is then closed is answered by a
// RST.
void DropPackets(int fd) {
  auto code = std::to_array<sock_filter>({BPF_STMT(BPF_RET | BPF_K, 0)});
  if (Attach(fd, SO_ATTACH_FILTER, code)) return;
  // There are kernels (6.18.44) that want a capability for that, and ours are given up. A least
  // number of hops needs none: what was sent with the usual 64 or 128 is below it.
  constexpr int kMostHops = 255;
  setsockopt(fd, IPPROTO_IP, IP_MINTTL, &kMostHops, sizeof(kMostHops));
  setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &kMostHops, sizeof(kMostHops));
}

// Sockets that listen where `socket` does, besides `own`, of which some may have been closed.
std::size_t CountOthers(int socket, std::span<const int> own) {
  const std::optional<Place> place = PlaceOf(socket);
  if (!place) return 0;
  std::ifstream table(place->table);
  std::string line;
  std::getline(table, line);  // the columns' names
  std::size_t others = 0;
  while (std::getline(table, line)) {
    std::istringstream columns(line);
    std::string skipped;
    std::string local;
    std::string state;
    ino_t inode = 0;
    columns >> skipped >> local >> skipped >> state;
    if (state != kListening) break;  // those that listen come first
    for (int i = 0; i < 5; ++i) columns >> skipped;
    columns >> inode;
    const auto is_inode = [inode](int fd) { return InodeOf(fd) == inode; };
    if (local == place->address && std::ranges::none_of(own, is_inode)) ++others;
  }
  return others;
}

}  // namespace

std::size_t OthersListening(std::span<const int> own) {
  return own.empty() ? 0 : CountOthers(own.front(), own);
}

bool SteerToOthers(std::span<const int> own, std::size_t others) {
  if (own.empty() || others == 0) return false;
  auto code = std::to_array<sock_filter>(
      {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM)),
       BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, static_cast<std::uint32_t>(others)),
       BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, static_cast<std::uint32_t>(own.size())),
       BPF_STMT(BPF_RET | BPF_A, 0)});
  return Attach(own.front(), SO_ATTACH_REUSEPORT_CBPF, code);
}

// The others have the indices from own.size() on, and with each of ours that is closed the last of
// them takes a place of ours – which one cannot be known after earlier hand-overs. Where there are
// at least as many others as own, index `others` is one of theirs until the last of ours is closed,
// and then none: the kernel spreads over all of them again. Where there are fewer, index own.size()
// is theirs for as long as can be; what comes to ours afterwards is dropped.
void CloseSteered(std::vector<Fd> closing, std::span<const int> own,
                  const std::function<void()>& after_each) {
  if (closing.empty()) return;
  const std::size_t others = CountOthers(closing.front().get(), own);
  if (others > 0) {
    SteerToOne(closing.front().get(), std::max(others, own.size()));
    for (const Fd& socket : closing) DropPackets(socket.get());
  }
  while (!closing.empty()) {
    closing.pop_back();
    if (after_each) after_each();
  }
}

void StopSteering(int listener) {
  const int unused = 0;  // but asked for
  setsockopt(listener, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof(unused));
}

}  // namespace connguard
