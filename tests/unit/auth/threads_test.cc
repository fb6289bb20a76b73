// One verifier for all workers.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "signer.h"

namespace connguard {
namespace {

TEST(VerifierThreadsTest, ManyThreadsShareOneVerifier) {
  using test::Token;
  const test::Signer rsa = test::Signer::Rsa();
  const test::Signer p256 = test::Signer::Curve("P-256");
  const test::Signer edwards = test::Signer::Edwards();
  const test::Signer secret = test::Signer::Secret(test::kSecret);
  const test::KeysFile keys(rsa.PublicPem() + p256.PublicPem() + edwards.PublicPem());
  const auto verifier = test::LoadSound(
      {.algorithms = {JwtAlgorithm::kRs256, JwtAlgorithm::kPs256, JwtAlgorithm::kEs256,
                      JwtAlgorithm::kEdDsa, JwtAlgorithm::kHs256},
       .secret = test::kSecret,
       .keys_file = keys.path()});
  const std::string payload = R"({"sub":"ann","exp":1900000000})";
  const std::vector<std::string> tokens = {
      Token(rsa, JwtAlgorithm::kRs256, payload), Token(rsa, JwtAlgorithm::kPs256, payload),
      Token(p256, JwtAlgorithm::kEs256, payload), Token(edwards, JwtAlgorithm::kEdDsa, payload),
      Token(secret, JwtAlgorithm::kHs256, payload)};
  std::atomic<int> believed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 25; ++turn) {
        for (const std::string& token : tokens) {
          const JwtVerdict verdict = verifier->Verify(token, test::kNow);
          if (verdict.claims && verdict.claims->Text("sub") == "ann") ++believed;
          if (verifier->Verify(token + "A", test::kNow).claims) believed -= 1000;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(believed, 4 * 25 * static_cast<int>(tokens.size()));
}

}  // namespace
}  // namespace connguard
