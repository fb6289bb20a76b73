// TlsPair: a client's and a server's stream, and what goes between them. No socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "support/test_certificates.h"
#include "tls/tls_context.h"

namespace connguard::testing {

using Status = TlsStream::Status;

inline std::string Text(const ByteBuffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.bytes().data()), buffer.size()};
}

// One end: its stream, what it has to say, what it has read.
struct TlsEnd {
  std::unique_ptr<TlsStream> stream;
  ByteBuffer out{};
  ByteBuffer plain{};

  Status Receive(std::span<const std::uint8_t> bytes) { return stream->Receive(bytes, plain, out); }
  void Send(std::string_view head, std::string_view body = {}) {
    stream->Send(head, AsBytes(body), out);
  }
  std::string Read() {
    std::string text = Text(plain);
    plain.Clear();
    return text;
  }
};

// Carries what `from` has to say to `to`, cut into pieces of `piece` bytes.
inline void Carry(TlsEnd& from, TlsEnd& to, Bytes piece = 1'000'000) {
  const ByteBuffer bytes = std::move(from.out);
  from.out = ByteBuffer();
  for (Bytes at = 0; at < bytes.size(); at += piece) {
    to.Receive(bytes.bytes().subspan(at, std::min(piece, bytes.size() - at)));
  }
}

struct TlsPair {
  TlsEnd client;
  TlsEnd server;

  TlsPair(const TlsClient& connector, const TlsServer& acceptor)
      : client{connector.Connect()}, server{acceptor.Accept()} {}

  // Until nobody has anything to say.
  void Exchange(Bytes piece = 1'000'000) {
    while (client.out.size() + server.out.size() > 0) {
      Carry(client, server, piece);
      Carry(server, client, piece);
    }
  }
  void Handshake(Bytes piece = 1'000'000) {
    client.stream->Start(client.out);
    Exchange(piece);
  }
  bool is_open() const {
    return client.stream->status() == Status::kOpen && server.stream->status() == Status::kOpen;
  }
};

// A CA, and a server of it that is called localhost.
struct TlsWorld {
  CertificateFolder folder{};
  TestCertificate authority = TestAuthority();
  std::string ca = folder.WriteText("ca.pem", authority.pem());
  std::shared_ptr<TicketKeys> keys = NewTicketKeys();

  CertificateFiles Files(const std::string& name, const CertificateWish& wish) const {
    return folder.Write(name, authority.Issue(wish));
  }
  ListenerTlsConfig Listener() const {
    return {.certificates = {Files("server", {.names = {"localhost", "127.0.0.1"}})}};
  }
  UpstreamTlsConfig Upstream() const { return {.ca = ca}; }

  // Throws what Load() says.
  std::shared_ptr<const TlsServer> Server(const ListenerTlsConfig& config) const {
    return Need(TlsServer::Load(config, keys));
  }
  std::shared_ptr<const TlsServer> Server() const { return Server(Listener()); }
  std::shared_ptr<const TlsClient> Client(const UpstreamTlsConfig& config,
                                          const std::string& host = "localhost") const {
    return Need(TlsClient::Load(config, host));
  }
  std::shared_ptr<const TlsClient> Client() const { return Client(Upstream()); }

  template <typename T>
  static std::shared_ptr<const T> Need(const Loaded<T>& loaded) {
    return loaded.value ? loaded.value : throw std::runtime_error(loaded.error);
  }
};

}  // namespace connguard::testing
