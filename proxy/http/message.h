// HTTP/1.1 messages: a strict reader for one message, and what can be asked of its head.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connguard/types.h"

namespace connguard {

// Of a head. Both belong to whoever made it: what MessageReader has read lives as long as that
// does.
struct Field {
  std::string_view name;   // case as it came
  std::string_view value;  // without surrounding white space
};

// One that is added to a head, and outlives what it was taken from.
struct AddedField {
  std::string name;
  std::string value;
};

struct RequestHead {
  std::string method;
  std::string target;         // byte-exact
  int version = 11;           // 10 or 11
  std::vector<Field> fields;  // in order, duplicates kept
};

struct ResponseHead {
  int status = 0;
  std::string reason;  // byte-exact
  int version = 11;
  std::vector<Field> fields;
};

// `name: value` and the line's end.
void AppendField(std::string& out, std::string_view name, std::string_view value);

// The first value of `name`, compared without case; nullopt when there is none.
std::optional<std::string_view> Find(const std::vector<Field>& fields, std::string_view name);
// The value of the one field of this name; nullopt when there is none, or another.
std::optional<std::string_view> Only(const std::vector<Field>& fields, std::string_view name);
// How many fields are called `name`.
std::size_t Count(const std::vector<Field>& fields, std::string_view name);
// True when the comma-separated lists of all `name` fields hold `token` (no case).
bool HasToken(const std::vector<Field>& fields, std::string_view name, std::string_view token);

// MessageReader reads one message off a byte stream: the head into a struct, the body by counting,
// so that the body's bytes (chunk framing included) can be passed on as they came, but not before
// they are known to be sound: the begin of a chunk header is kept until its end has come.
//
// Pure; not thread-safe. Feed() never takes bytes that follow the message.
template <typename Head>
class MessageReader {
 public:
  enum class Status : std::uint8_t {
    kNeedMore,  // took all of the input; the head is not complete
    kHead,      // the head has just been completed; `taken` ends behind it
    kBody,      // took body bytes; more follow
    kDone,      // the message is complete (also right behind a head without a body: a second Feed,
                // even with empty input, says so)
    kError,     // illegal; `http_status` and `why` say how to answer
  };
  struct Result {
    Status status = Status::kNeedMore;
    Bytes taken = 0;  // of the input
    // kBody, kDone: what may be passed on now: `held`, from earlier input (valid until the next
    // Feed), and then this many bytes of the input.
    std::string_view held = {};
    Bytes pass = 0;
    int http_status = 0;   // kError: 400, 414 or 431
    std::string why = {};  // kError: a short sentence
  };
  using DataSink = std::function<void(std::string_view data)>;

  explicit MessageReader(Bytes header_size);
  ~MessageReader();
  MessageReader(MessageReader&&) noexcept;
  MessageReader& operator=(MessageReader&&) noexcept;

  // A response to HEAD, or one to a successful upgrade, has no body whatever its head says. Call
  // before the first Feed (responses only).
  void ExpectNoBody();

  // Hears the body's bytes without their chunk framing, during Feed.
  void SetDataSink(DataSink sink);

  Result Feed(std::span<const std::uint8_t> in);

  // The stream ended. kDone when that ends the message (a response until close), else kError.
  Result End();

  const Head& head() const;  // its fields live as long as this
  // From the head on. The body ends only with its connection; comes in chunks.
  bool until_close() const;
  bool chunked() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

using RequestReader = MessageReader<RequestHead>;
using ResponseReader = MessageReader<ResponseHead>;

std::string Serialize(const RequestHead& head);
std::string Serialize(const ResponseHead& head);

// True for a request that asks for the WebSocket upgrade (RFC 6455 §4.1).
bool IsWebSocketUpgrade(const RequestHead& head);
// Checks such a request: GET, 1.1, Sec-WebSocket-Version 13, a key of 16 bytes in base64, no body.
// Returns the status to refuse it with (400, 426) and why, or nullopt when it is sound.
struct Refusal {
  int status = 400;
  std::string why;
};
std::optional<Refusal> CheckWebSocketUpgrade(const RequestHead& head);
// True when `head` is a sound 101 for a request whose Sec-WebSocket-Key was `key`.
bool IsWebSocketAccept(const ResponseHead& head, std::string_view key);

// An answer of our own: application/problem+json (RFC 9457), Connection: close. `request_id` goes
// into the body and X-Request-Id; `retry_after` > 0 adds the header (seconds).
std::string ProblemResponse(int status, std::string_view detail, std::string_view request_id,
                            int retry_after = 0);

// The parts of an absolute-form target (RFC 9112 §3.2.2); nullopt for other forms, and for schemes
// other than http, https, ws and wss. `path_and_query` is empty or begins with `/` or `?`.
struct AbsoluteTarget {
  std::string_view authority;
  std::string_view path_and_query;
};
std::optional<AbsoluteTarget> ParseAbsolute(std::string_view target);

// Percent-decodes (`+` stays); an invalid escape stays as it is.
std::string PercentDecode(std::string_view text);
// As a query is written: `+` is a space too.
std::string FormDecode(std::string_view text);
// The path of an origin-form or absolute-form target, without query, still encoded; and its query.
std::string_view PathOf(std::string_view target);
std::string_view QueryOf(std::string_view target);
// The last value of a query parameter (Starlette takes the last one too), decoded as a form is (`+`
// is a space); nullopt when there is none.
std::optional<std::string> QueryValue(std::string_view query, std::string_view name);
// The last value of a cookie (as Starlette) without its quotes, otherwise as it came: backends do
// not percent-decode cookies. nullopt when there is none.
std::optional<std::string> CookieValue(const std::vector<Field>& fields, std::string_view name);

}  // namespace connguard
