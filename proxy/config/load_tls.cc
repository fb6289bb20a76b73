// Files and names of TLS. What OpenSSL says of the files is key_material's.
#include "config/load_tls.h"

#include <algorithm>

#include "config/address.h"
#include "config/cidr.h"
#include "config/key_material.h"
#include "config/pattern.h"
#include "http/forwarding.h"
#include "http/text.h"

namespace connguard {
namespace {

// True when both files are sound.
bool ReadCertificate(Section& certificate, const NamedFiles& files, CertificateFiles& out) {
  certificate.Require("chain");
  const bool chain = files.ReadPath(certificate, "chain", FileKind::kPublic, out.chain);
  certificate.Require("key");
  const bool key = files.ReadPath(certificate, "key", FileKind::kSecret, out.key);
  certificate.Finish();
  return chain && key;
}

bool ReadCertificates(Section& tls, const NamedFiles& files, std::vector<CertificateFiles>& out) {
  const std::optional<Value> list = tls.Require("certificates");
  if (!list) return false;
  const std::string label = tls.LabelOf("certificates");
  bool sound = true;
  for (const Value& item : tls.reader().Items(*list, label)) {
    Section certificate(tls.reader(), item, tls.PathOf("certificates"), label);
    sound = certificate.ok() && ReadCertificate(certificate, files, out.emplace_back()) && sound;
  }
  return sound && !out.empty();
}

// A field that tells an upstream of the client's certificate.
void ReadTeller(Section& tls, std::string_view key, std::string& out) {
  if (ReadFieldName(tls, key, out) && !tls.Find("client_ca")) {
    tls.Error(*tls.Find(key), key, "needs client_ca: without it no client has a certificate");
  }
}

// Whether `key` is absent or a sound file.
bool ReadAuthorities(Section& tls, std::string_view key, const NamedFiles& files,
                     std::string& out) {
  return files.ReadPath(tls, key, FileKind::kPublic, out) || !tls.Find(key);
}

bool ReadServerName(Section& tls, std::string& out) {
  if (!tls.ReadText("server_name", out)) return !tls.Find("server_name");
  if (IsHost(out) || ParseIp(out)) return true;
  tls.Error(*tls.Find("server_name"), "server_name",
            "expected a host without port, found " + Quoted(out));
  return false;
}

}  // namespace

std::string FieldNameError(const std::string& name) {
  if (!IsToken(name)) return Quoted(name) + " cannot be the name of a header";
  if (MayBeSet(name)) return {};
  return Quoted(name) + " cannot be set: it belongs to the connection or is the proxy's own";
}

bool ReadFieldName(Section& section, std::string_view key, std::string& out) {
  std::string name;
  if (!section.ReadText(key, name)) return false;
  if (const std::string why = FieldNameError(name); !why.empty()) {
    section.Error(*section.Find(key), key, why);
    return false;
  }
  out = name;
  return true;
}

std::optional<ListenerTlsConfig> ReadListenerTls(Section& listener, const NamedFiles& files) {
  std::optional<Section> tls = listener.Sub("tls", listener.LabelOf("tls"));
  if (!tls) return std::nullopt;
  ListenerTlsConfig out;
  if (!tls->ok()) return out;
  const bool certificates = ReadCertificates(*tls, files, out.certificates);
  const bool authorities = ReadAuthorities(*tls, "client_ca", files, out.client_ca);
  tls->ReadWord("min_version", out.min_version, kTlsVersions);
  ReadTeller(*tls, "subject_header", out.subject_header);
  ReadTeller(*tls, "fingerprint_header", out.fingerprint_header);
  if (!out.subject_header.empty() &&
      EqualsIgnoringCase(out.subject_header, out.fingerprint_header)) {
    tls->Error(*tls->Find("fingerprint_header"), "fingerprint_header",
               Quoted(out.fingerprint_header) + " is subject_header as well");
  }
  if (const std::string why = certificates && authorities ? WhyUnusable(out) : ""; !why.empty()) {
    tls->Error(*tls->Find("certificates"), "certificates", why);
  }
  tls->Finish();
  return out;
}

std::optional<UpstreamTlsConfig> ReadUpstreamTls(Section& owner, bool https,
                                                 const std::string& host, const NamedFiles& files) {
  std::optional<Section> tls = owner.Sub("tls", owner.LabelOf("tls"));
  if (!tls) return https ? std::optional(UpstreamTlsConfig{}) : std::nullopt;
  UpstreamTlsConfig out;
  if (!tls->ok()) return out;
  bool sound = ReadAuthorities(*tls, "ca", files, out.ca);
  sound = ReadServerName(*tls, out.server_name) && sound;
  tls->ReadBool("verify", out.verify);
  if (std::optional<Section> own = tls->Sub("certificate", tls->LabelOf("certificate"))) {
    out.certificate.emplace();
    sound = own->ok() && ReadCertificate(*own, files, *out.certificate) && sound;
  }
  tls->Finish();
  if (!https) {
    owner.Error(*owner.Find("tls"), "tls", "needs a url that begins with https://");
    return std::nullopt;
  }
  if (const std::string why = sound ? WhyUnusable(out, host) : ""; !why.empty()) {
    owner.Error(*owner.Find("tls"), "tls", why);
  }
  return out;
}

}  // namespace connguard
