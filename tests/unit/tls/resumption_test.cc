// Session tickets: across servers, not past a client CA; and the keys' hours.
#include <gtest/gtest.h>

#include "tls/ticket_keys.h"
#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

using std::chrono::minutes;

class ResumptionTest : public ::testing::TestWithParam<int> {
 protected:
  // A client that comes back: with what its last connection has left.
  bool Resumes(const TlsServer& server, const TestCertificate* own = nullptr) {
    RawPeer raw(TLS_client_method());
    SSL_CTX_set_max_proto_version(raw.context(), GetParam());
    SSL_CTX_set_session_cache_mode(raw.context(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(raw.context(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<SslSessionPtr*>(SSL_get_app_data(ssl))->reset(session);
      return 1;
    });
    if (own != nullptr) {
      raw.Use(*own);
    }
    SSL_set_app_data(raw.ssl(), &session_);
    if (session_) {
      SSL_set_session(raw.ssl(), SslSessionPtr(SSL_SESSION_dup(session_.get())).get());
    }
    TlsEnd end{.stream = server.Accept()};
    raw.Exchange(end);
    error_ = end.stream->error();
    peer_ = end.stream->peer();
    EXPECT_EQ(end.stream->resumed(), error_.empty() && SSL_session_reused(raw.ssl()) == 1);
    if (GetParam() == TLS1_2_VERSION && error_.empty()) {
      session_.reset(SSL_get1_session(raw.ssl()));  // the callback is not told of renewed tickets
    }
    SSL_shutdown(raw.ssl());
    return end.stream->resumed();
  }

  TlsWorld world_;
  SslSessionPtr session_;
  std::string error_;
  std::optional<PeerCertificate> peer_;
};

TEST_P(ResumptionTest, AcrossTwoServersWithTheSameKeys) {
  const ListenerTlsConfig config = world_.Listener();
  const auto one = world_.Server(config);
  const auto two = world_.Server(config);
  EXPECT_FALSE(Resumes(*one));
  EXPECT_TRUE(Resumes(*two));
  EXPECT_TRUE(Resumes(*one));
}

TEST_P(ResumptionTest, ATicketOfTls13IsForOneUse) {
  const auto server = world_.Server();
  const auto ticket = [&] {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session_.get(), &bytes, &size);
    return std::string(reinterpret_cast<const char*>(bytes), size);
  };
  EXPECT_FALSE(Resumes(*server));
  const std::string first = ticket();
  EXPECT_TRUE(Resumes(*server));
  EXPECT_EQ(ticket() == first, GetParam() == TLS1_2_VERSION);
}

TEST_P(ResumptionTest, NotWithOtherKeys) {
  EXPECT_FALSE(Resumes(*world_.Server()));
  world_.keys = NewTicketKeys();
  EXPECT_FALSE(Resumes(*world_.Server()));
  EXPECT_EQ(error_, "");
}

TEST_P(ResumptionTest, AKeyDecryptsForTwoHours) {
  std::chrono::steady_clock::time_point now{};
  world_.keys = std::make_shared<TicketKeys>([&] { return now; });
  const auto server = world_.Server();
  EXPECT_FALSE(Resumes(*server));
  now += minutes(59);
  EXPECT_TRUE(Resumes(*server));
  SslSessionPtr old(SSL_SESSION_dup(session_.get()));
  now += minutes(60);
  EXPECT_TRUE(Resumes(*server));  // the old key; what it gets is of the new one
  now += minutes(2);
  EXPECT_TRUE(Resumes(*server));
  session_.swap(old);
  EXPECT_FALSE(Resumes(*server));
}

TEST_P(ResumptionTest, AKeyThatNobodyUsedIsOldToo) {
  std::chrono::steady_clock::time_point now{};
  world_.keys = std::make_shared<TicketKeys>([&] { return now; });
  const auto server = world_.Server();
  EXPECT_FALSE(Resumes(*server));
  now += minutes(120);
  EXPECT_FALSE(Resumes(*server));
  now += minutes(119);
  EXPECT_TRUE(Resumes(*server));
}

TEST_P(ResumptionTest, NotPastClientCa) {
  const TestCertificate own = world_.authority.Issue({.usage = Usage::kClient});
  ListenerTlsConfig mutual = world_.Listener();
  mutual.client_ca = world_.ca;
  ListenerTlsConfig another = world_.Listener();
  another.client_ca = world_.folder.WriteText("another.pem", TestAuthority("Another").pem());

  EXPECT_FALSE(Resumes(*world_.Server()));
  EXPECT_FALSE(Resumes(*world_.Server(mutual)));
  EXPECT_NE(error_.find("did not return a certificate"), std::string::npos);
  session_.reset();
  EXPECT_FALSE(Resumes(*world_.Server(mutual), &own));
  EXPECT_EQ(error_, "");
  EXPECT_TRUE(Resumes(*world_.Server(mutual), &own));
  EXPECT_EQ(peer_->subject, "CN=localhost");
  EXPECT_FALSE(Resumes(*world_.Server(another), &own));
  EXPECT_NE(error_.find("is unknown"), std::string::npos) << error_;
}

TEST_P(ResumptionTest, AClientComesBackByItself) {
  RawPeer first(TLS_server_method());
  const auto client = world_.Client();
  const TestCertificate certificate = world_.authority.Issue({.names = {"localhost"}});
  SSL_CTX_set_max_proto_version(first.context(), GetParam());
  SSL_CTX_set_session_id_context(first.context(), AsBytes("test").data(), 4);
  first.Use(certificate);
  for (int i = 0; i < 3; ++i) {
    RawPeer server(first);
    TlsEnd end{.stream = client->Connect()};
    end.stream->Start(end.out);
    server.Exchange(end);
    ASSERT_TRUE(server.is_open());
    EXPECT_EQ(end.stream->resumed(), i > 0);
    EXPECT_EQ(end.stream->peer()->subject, "CN=localhost");
    // Ended by nobody's close_notify: that does not spoil it.
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, ResumptionTest,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST(SessionContextTest, AResumedNameIsTheOneAskedFor) {
  const TlsWorld world;
  const auto server = world.Server();
  const auto client = world.Client();
  for (int i = 0; i < 2; ++i) {
    TlsPair pair(*client, *server);
    pair.Handshake();
    EXPECT_EQ(pair.server.stream->resumed(), i > 0);
    EXPECT_EQ(pair.server.stream->server_name(), "localhost");
  }
}

}  // namespace
}  // namespace connguard::testing
