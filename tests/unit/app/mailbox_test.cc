// Mailbox: letters of several threads, none lost, each thread's in order.
#include "app/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <thread>

#include "app/worker.h"

namespace connguard {
namespace {

bool WaitReadable(const Mailbox& mailbox, int millis) {
  pollfd wait{.fd = mailbox.fd(), .events = POLLIN, .revents = 0};
  return poll(&wait, 1, millis) == 1;
}

// Letters of these tests need no worker: they never touch theirs.
Worker& Nobody() {
  alignas(Worker) static std::array<std::byte, sizeof(Worker)> memory;
  return *reinterpret_cast<Worker*>(memory.data());
}

TEST(MailboxTest, LettersOfFourThreadsAllArriveInEachThreadsOrder) {
  constexpr std::size_t kThreads = 4;
  constexpr int kLetters = 5000;
  Mailbox mailbox;
  // Written only by the thread that takes the letters.
  std::array<std::vector<int>, kThreads> arrived;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&mailbox, &mine = arrived[i]] {
      for (int letter = 0; letter < kLetters; ++letter) {
        mailbox.Post([&mine, letter](Worker&) { mine.push_back(letter); });
      }
    });
  }
  std::size_t count = 0;
  while (count < kThreads * kLetters) {
    ASSERT_TRUE(WaitReadable(mailbox, 30'000)) << count << " letters arrived";
    for (const Errand& errand : mailbox.Take()) {
      errand(Nobody());
      ++count;
    }
  }
  for (const std::vector<int>& mine : arrived) {
    ASSERT_EQ(mine.size(), kLetters);
    for (int letter = 0; letter < kLetters; ++letter) {
      ASSERT_EQ(mine[static_cast<std::size_t>(letter)], letter);
    }
  }
  EXPECT_FALSE(WaitReadable(mailbox, 0));
}

TEST(MailboxTest, ManyLettersWakeTheOwnerOnce) {
  Mailbox mailbox;
  EXPECT_FALSE(WaitReadable(mailbox, 0));
  for (int i = 0; i < 1000; ++i) mailbox.Post([](Worker&) {});
  ASSERT_TRUE(WaitReadable(mailbox, 0));
  // An eventfd counts the writes since it was last read.
  eventfd_t wakes = 0;
  ASSERT_EQ(eventfd_read(mailbox.fd(), &wakes), 0);
  EXPECT_EQ(wakes, 1U);
  EXPECT_EQ(mailbox.Take().size(), 1000U);
}

TEST(MailboxTest, ALetterPostedByALetterWakesAgain) {
  Mailbox mailbox;
  int delivered = 0;
  mailbox.Post([&](Worker&) { mailbox.Post([&](Worker&) { ++delivered; }); });
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(WaitReadable(mailbox, 0));
    for (const Errand& errand : mailbox.Take()) errand(Nobody());
  }
  EXPECT_EQ(delivered, 1);
  EXPECT_TRUE(mailbox.Take().empty());
}

}  // namespace
}  // namespace connguard
