// The kernel's own header for tcp_info: the C library's does not know bytes_acked.
#include "net/delivery.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace connguard {

Delivery DeliveryOf(int fd) {
  constexpr int kRetransmissions = 3;
  Delivery delivery;
  int outstanding = 0;
  if (ioctl(fd, SIOCOUTQ, &outstanding) == 0) {
    delivery.outstanding = static_cast<Bytes>(outstanding);
  }
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
    delivery.acknowledged = info.tcpi_bytes_acked;
    delivery.silent = info.tcpi_unacked > 0 && info.tcpi_retransmits >= kRetransmissions;
  }
  return delivery;
}

}  // namespace connguard
