// Offers and answers of WebSocket extensions.
#include "http/extensions.h"

#include "heads.h"

namespace connguard {
namespace {

std::vector<Field> Fields(std::string_view value) {
  return {{"Host", "a"}, {"sec-websocket-EXTENSIONS", value}};
}

Extensions Read(const std::string& value, bool offered = true) {
  ResponseHead head;
  head.fields = Fields(value);
  return ReadExtensions(head, offered);
}

TEST(ExtensionsTest, DeflateIsFoundAmongExtensions) {
  EXPECT_TRUE(NamesDeflate(Fields("permessage-deflate")));
  EXPECT_TRUE(NamesDeflate(Fields("foo, Permessage-Deflate ; server_no_context_takeover")));
  EXPECT_TRUE(NamesDeflate(Fields("foo; x=\"a\\\"\", ,permessage-deflate;x")));
  EXPECT_FALSE(NamesDeflate(Fields("x-webkit-deflate-frame")));
  EXPECT_FALSE(NamesDeflate(Fields("foo; permessage-deflate")));
  EXPECT_FALSE(NamesDeflate(Fields("foo; x=\"a, permessage-deflate; b\"")));
  EXPECT_FALSE(NamesDeflate(Fields("")));
  EXPECT_FALSE(NamesDeflate({{"Host", "permessage-deflate"}}));
}

TEST(ExtensionsTest, OffersOfDeflateRemainAsTheyStand) {
  // Chrome's, Firefox's, python-websockets'.
  for (const std::string_view only :
       {"permessage-deflate; client_max_window_bits", "permessage-deflate",
        "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        "permessage-deflate;client_max_window_bits=\"10\" ,\tpermessage-deflate;x=y,"}) {
    EXPECT_EQ(DeflateOffers(only), only);
  }
  EXPECT_EQ(
      DeflateOffers("foo , PerMessage-Deflate;  a=b ,bar;permessage-deflate,permessage-deflate"),
      "PerMessage-Deflate;  a=b, permessage-deflate");
  EXPECT_EQ(DeflateOffers("permessage-bzip2, x-webkit-deflate-frame"), "");
  EXPECT_EQ(DeflateOffers("foo; x=\", permessage-deflate"), "") << "the quotes never end";
  EXPECT_EQ(DeflateOffers("foo; x=\"\\"), "");
  EXPECT_EQ(DeflateOffers(" , "), "");
  EXPECT_EQ(DeflateOffers(""), "");
}

TEST(ExtensionsTest, AnAnswerGivesItsParameters) {
  using Parameters = DeflateParameters;
  const std::vector<std::pair<std::string, DeflateParameters>> cases = {
      {"permessage-deflate", {}},
      {"PerMessage-Deflate", {}},
      {"permessage-deflate; server_no_context_takeover", Parameters{true, false, 15, 15}},
      {"permessage-deflate;client_no_context_takeover", Parameters{false, true, 15, 15}},
      {"permessage-deflate; server_max_window_bits=12; client_max_window_bits=9",
       Parameters{false, false, 12, 9}},
      {"permessage-deflate ;\tserver_max_window_bits = 8 ; client_max_window_bits=\"15\"",
       Parameters{false, false, 8, 15}},
      {"permessage-deflate; client_max_window_bits=10; server_no_context_takeover; "
       "server_max_window_bits=11; client_no_context_takeover",
       Parameters{true, true, 11, 10}},
      {", permessage-deflate,", {}},
  };
  for (const auto& [value, parameters] : cases) {
    const Extensions extensions = Read(value);
    EXPECT_EQ(extensions.error, "") << value;
    EXPECT_EQ(extensions.deflate, parameters) << value;
  }
}

TEST(ExtensionsTest, AnAnswerWithoutExtensionsIsPlain) {
  for (const std::string value : {"", ",", " , "}) {
    for (const bool offered : {true, false}) {
      EXPECT_EQ(Read(value, offered).error, "");
      EXPECT_FALSE(Read(value, offered).deflate);
    }
  }
  EXPECT_EQ(ReadExtensions({}, true).error, "");
}

TEST(ExtensionsTest, BadParametersAreRefused) {
  for (const std::string parameters : {"client_max_window_bits",
                                       "server_max_window_bits",
                                       "server_max_window_bits=",
                                       "server_max_window_bits=7",
                                       "server_max_window_bits=16",
                                       "server_max_window_bits=08",
                                       "server_max_window_bits=1",
                                       "server_max_window_bits=10x",
                                       "server_max_window_bits=+9",
                                       "server_max_window_bits=\"\"",
                                       "server_max_window_bits=\"12",
                                       "client_max_window_bits=0",
                                       "client_max_window_bits=12; client_max_window_bits=12",
                                       "server_no_context_takeover; Server_No_Context_Takeover",
                                       "server_no_context_takeover=1",
                                       "client_no_context_takeover=",
                                       "x",
                                       "x=12",
                                       "=12",
                                       "",
                                       ";",
                                       "server_no_context_takeover;",
                                       "server_no_context_takeover;;server_max_window_bits=9"}) {
    EXPECT_EQ(Read("permessage-deflate; " + parameters).error,
              "the upstream's 101 has bad parameters of permessage-deflate")
        << parameters;
  }
}

TEST(ExtensionsTest, WhatWasNotOfferedIsRefused) {
  const std::string_view not_offered =
      "the upstream's 101 turns on an extension that was not offered";
  EXPECT_EQ(Read("permessage-deflate", false).error, not_offered);
  EXPECT_EQ(Read("foo").error, not_offered);
  EXPECT_EQ(Read("permessage-deflate, foo").error, not_offered);
  EXPECT_EQ(Read("foo; permessage-deflate").error, not_offered);
  EXPECT_EQ(Read("permessage-deflate, permessage-deflate").error,
            "the upstream's 101 accepts permessage-deflate twice");
  ResponseHead head;
  for (int i = 0; i < 2; ++i) {
    head.fields.push_back({"Sec-WebSocket-Extensions", "permessage-deflate"});
  }
  EXPECT_EQ(ReadExtensions(head, true).error,
            "the upstream's 101 accepts permessage-deflate twice");
}

}  // namespace
}  // namespace connguard
