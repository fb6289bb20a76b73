// Mailbox: how other threads hand work to a worker.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

namespace connguard {

class Worker;

// Work for a worker, run on its thread.
using Errand = std::function<void(Worker&)>;

// Mailbox is a locked vector that its owner swaps for an empty one, and an eventfd that wakes the
// owner's loop: one system call for any number of letters. Post from any thread; the rest is the
// owner's.
class Mailbox {
 public:
  Mailbox() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Mailbox() { close(event_); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void Post(Errand errand) {
    bool wake;
    {
      const std::lock_guard lock(mutex_);
      wake = letters_.empty();
      letters_.push_back(std::move(errand));
    }
    if (wake) eventfd_write(event_, 1);
  }

  // Readable when letters wait.
  int fd() const { return event_; }

  std::vector<Errand> Take() {
    eventfd_t count = 0;
    eventfd_read(event_, &count);
    std::vector<Errand> letters;
    const std::lock_guard lock(mutex_);
    letters.swap(letters_);
    return letters;
  }

 private:
  int event_;
  std::mutex mutex_;
  std::vector<Errand> letters_;
};

}  // namespace connguard
