// Addresses, networks, and who the client is behind proxies.
#include "config/cidr.h"

#include <gtest/gtest.h>

namespace connguard {
namespace {

std::vector<Cidr> Blocks(const std::vector<std::string>& texts) {
  std::vector<Cidr> blocks;
  for (const std::string& text : texts) {
    const Parsed<Cidr> block = ParseCidr(text);
    if (block) {
      blocks.push_back(*block.value);
    } else {
      ADD_FAILURE() << text << ": " << block.error;
    }
  }
  return blocks;
}

// False for what is no network or no address too, which fails the test.
bool Holds(const std::string& block, std::string_view ip) {
  const std::optional<IpAddress> address = ParseIp(ip);
  if (!address) ADD_FAILURE() << ip;
  const std::vector<Cidr> blocks = Blocks({block});
  return address && !blocks.empty() && Contains(blocks.front(), *address);
}

TEST(CidrTest, AnAddressIsReadInEitherFamily) {
  IpAddress v4;
  v4.bytes = {192, 0, 2, 7};
  EXPECT_EQ(ParseIp("192.0.2.7"), v4);
  IpAddress v6{.v6 = true, .bytes = {0x20, 0x01, 0x0D, 0xB8}};
  v6.bytes[15] = 1;
  EXPECT_EQ(ParseIp("2001:db8::1"), v6);
  EXPECT_EQ(ParseIp("2001:0DB8:0:0:0:0:0:1"), v6);
  EXPECT_EQ(ParseIp("::"), (IpAddress{.v6 = true, .bytes = {}}));
}

TEST(CidrTest, AMappedAddressIsItsV4Address) {
  EXPECT_EQ(ParseIp("::ffff:192.0.2.7"), ParseIp("192.0.2.7"));
  EXPECT_EQ(ParseIp("::FFFF:c000:207"), ParseIp("192.0.2.7"));
  EXPECT_EQ(ParseIp("0000:0000:0000:0000:0000:ffff:255.255.255.255"), ParseIp("255.255.255.255"));
  for (const char* text : {"::192.0.2.7", "::fffe:192.0.2.7", "1::ffff:192.0.2.7"}) {
    const std::optional<IpAddress> address = ParseIp(text);
    EXPECT_TRUE(address && address->v6) << text;
  }
}

TEST(CidrTest, NothingElseIsAnAddress) {
  for (const char* text : {"",           " ",          "192.0.2",       "192.0.2.7 ",
                           " 192.0.2.7", "192.0.2.07", "192.0.2.256",   "192.0.2.7.1",
                           "0xC0.0.2.7", "3221225991", "192.0.2.7:80",  "[::1]",
                           "[::1]:80",   "fe80::1%lo", "fe80::1%1",     "::ffff:192.0.2.07",
                           "1::2::3",    ":::",        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                           "::g",        "12345::",    "10.0.0.0/8",    "localhost",
                           "unix",       "unknown",    "_hidden"}) {
    EXPECT_EQ(ParseIp(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseIp(std::string_view("192.0.2.7\0x", 11)), std::nullopt);
  EXPECT_EQ(ParseIp(std::string(100'000, '1')), std::nullopt);
}

TEST(CidrTest, NetworksReadAndPrintAlike) {
  for (const char* text :
       {"10.0.0.0/8", "0.0.0.0/0", "128.0.0.0/1", "192.0.2.128/25", "100.64.0.0/10", "192.0.2.7/32",
        "255.255.255.255/32", "fd00::/8", "::/0", "::/96", "8000::/1", "2001:db8:8000::/33",
        "::1/128", "fe80::/10", "2001:db8::fffe/127"}) {
    const Parsed<Cidr> block = ParseCidr(text);
    ASSERT_TRUE(block) << text << ": " << block.error;
    EXPECT_EQ(block.value->ToString(), text);
    EXPECT_EQ(block.error, "");
  }
}

TEST(CidrTest, AnAddressIsANetworkOfItsOwn) {
  EXPECT_EQ(ParseCidr("192.0.2.7").value.value().ToString(), "192.0.2.7/32");
  EXPECT_EQ(ParseCidr("2001:DB8:0::1").value.value().ToString(), "2001:db8::1/128");
  EXPECT_EQ(ParseCidr("192.0.2.7").value, ParseCidr("192.0.2.7/32").value);
}

TEST(CidrTest, AnAddressIsWrittenAsTheSystemWritesIt) {
  EXPECT_EQ(ParseIp("::ffff:192.0.2.1")->ToString(), "192.0.2.1");
  EXPECT_EQ(ParseIp("::192.0.2.1")->ToString(), "::192.0.2.1");
  EXPECT_EQ(ParseIp("2001:DB8:0:0:1:0:0:1")->ToString(), "2001:db8::1:0:0:1");
  EXPECT_EQ(IpAddress::OfV6(ParseIp("2001:db8::1")->bytes), ParseIp("2001:db8::1"));
}

TEST(CidrTest, AMappedNetworkIsItsV4Network) {
  EXPECT_EQ(ParseCidr("::ffff:192.0.2.7").value.value().ToString(), "192.0.2.7/32");
  EXPECT_EQ(ParseCidr("::ffff:10.0.0.0/104").value, ParseCidr("10.0.0.0/8").value);
  EXPECT_EQ(ParseCidr("::ffff:0:0/96").value.value().ToString(), "0.0.0.0/0");
}

TEST(CidrTest, AMistakeInANetworkIsNamed) {
  const auto error = [](const std::string& text) { return ParseCidr(text).error; };
  const std::string expected =
      "expected an address or a network such as 10.0.0.0/8 or fd00::/8, found ";
  for (const char* text : {"", "/8", "10.0.0/8", "10.*", "proxy.example", "[::1]/128",
                           "10.0.0.1:80", "10.0.0.0 /8", "fe80::1%lo/64"}) {
    EXPECT_EQ(error(text), expected + "'" + text + "'");
  }
  EXPECT_EQ(error("10.0.0.0/33"), "the prefix must be from 0 to 32, found '33'");
  EXPECT_EQ(error("10.0.0.0/"), "the prefix must be from 0 to 32, found ''");
  EXPECT_EQ(error("10.0.0.0/8/8"), "the prefix must be from 0 to 32, found '8/8'");
  for (const char* digits : {"-1", "+8", " 8", "8 ", "8.0", "0x8", "255.0.0.0", "99999999999999"}) {
    EXPECT_EQ(error(std::string("10.0.0.0/") + digits),
              std::string("the prefix must be from 0 to 32, found '") + digits + "'");
  }
  EXPECT_EQ(error("fd00::/129"), "the prefix must be from 0 to 128, found '129'");
  EXPECT_EQ(error("::ffff:10.0.0.0/8"), "the prefix must be from 96 to 128, found '8'");
}

TEST(CidrTest, HostBitsAreAMistakeWithItsRemedy) {
  const auto error = [](const std::string& text) { return ParseCidr(text).error; };
  EXPECT_EQ(error("10.1.2.3/8"), "'10.1.2.3/8' has host bits set; did you mean '10.0.0.0/8'?");
  EXPECT_EQ(error("192.0.2.129/25"),
            "'192.0.2.129/25' has host bits set; did you mean '192.0.2.128/25'?");
  EXPECT_EQ(error("0.0.0.1/0"), "'0.0.0.1/0' has host bits set; did you mean '0.0.0.0/0'?");
  EXPECT_EQ(error("192.0.2.7/31"),
            "'192.0.2.7/31' has host bits set; did you mean '192.0.2.6/31'?");
  EXPECT_EQ(error("2001:db8:c000::/33"),
            "'2001:db8:c000::/33' has host bits set; did you mean '2001:db8:8000::/33'?");
  EXPECT_EQ(error("::1/127"), "'::1/127' has host bits set; did you mean '::/127'?");
  EXPECT_EQ(error("::ffff:10.1.0.0/104"),
            "'::ffff:10.1.0.0/104' has host bits set; did you mean '10.0.0.0/8'?");
}

TEST(CidrTest, ANetworkHoldsTheAddressesThatBeginAsItDoes) {
  EXPECT_TRUE(Holds("10.0.0.0/8", "10.0.0.0"));
  EXPECT_TRUE(Holds("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(Holds("10.0.0.0/8", "9.255.255.255"));
  EXPECT_FALSE(Holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(Holds("100.64.0.0/10", "100.127.255.255"));
  EXPECT_FALSE(Holds("100.64.0.0/10", "100.128.0.0"));
  EXPECT_FALSE(Holds("100.64.0.0/10", "100.63.255.255"));
  EXPECT_TRUE(Holds("192.0.2.6/31", "192.0.2.7"));
  EXPECT_FALSE(Holds("192.0.2.6/31", "192.0.2.5"));
  EXPECT_TRUE(Holds("fd00::/8", "fdff::1"));
  EXPECT_FALSE(Holds("fd00::/8", "fc00::1"));
  EXPECT_TRUE(Holds("2001:db8:8000::/33", "2001:db8:ffff::"));
  EXPECT_FALSE(Holds("2001:db8:8000::/33", "2001:db8:7fff::"));
}

TEST(CidrTest, TheShortestAndTheLongestPrefixesAreExact) {
  EXPECT_TRUE(Holds("0.0.0.0/0", "0.0.0.0"));
  EXPECT_TRUE(Holds("0.0.0.0/0", "255.255.255.255"));
  EXPECT_TRUE(Holds("128.0.0.0/1", "128.0.0.0"));
  EXPECT_FALSE(Holds("128.0.0.0/1", "127.255.255.255"));
  EXPECT_TRUE(Holds("192.0.2.7/32", "192.0.2.7"));
  EXPECT_FALSE(Holds("192.0.2.7/32", "192.0.2.6"));
  EXPECT_TRUE(Holds("::/0", "ffff::1"));
  EXPECT_TRUE(Holds("2001:db8::1/128", "2001:db8::1"));
  EXPECT_FALSE(Holds("2001:db8::1/128", "2001:db8::"));
}

TEST(CidrTest, FamiliesDoNotMixButMappedAddressesAreV4) {
  EXPECT_FALSE(Holds("0.0.0.0/0", "::"));
  EXPECT_FALSE(Holds("::/0", "0.0.0.0"));
  EXPECT_FALSE(Holds("::/0", "::ffff:10.0.0.1"));
  EXPECT_FALSE(Holds("10.0.0.0/8", "a00::"));
  EXPECT_FALSE(Holds("a00::/8", "10.0.0.1"));
  EXPECT_TRUE(Holds("10.0.0.0/8", "::ffff:10.0.0.1"));
  EXPECT_TRUE(Holds("::ffff:10.0.0.0/104", "10.0.0.1"));
}

TEST(CidrTest, TrustIsInAnyOfTheNetworks) {
  const std::vector<Cidr> trusted = Blocks({"10.0.0.0/8", "fd00::/8", "192.0.2.7"});
  EXPECT_TRUE(IsTrusted(trusted, "10.1.2.3"));
  EXPECT_TRUE(IsTrusted(trusted, "fd00::1"));
  EXPECT_TRUE(IsTrusted(trusted, "192.0.2.7"));
  EXPECT_TRUE(IsTrusted(trusted, "::ffff:192.0.2.7"));
  EXPECT_FALSE(IsTrusted(trusted, "192.0.2.8"));
  EXPECT_FALSE(IsTrusted({}, "10.1.2.3"));
  for (const char* text : {"", "unix", "10.1.2.3:80", "10.1.2", "10.0.0.0/8"}) {
    EXPECT_FALSE(IsTrusted(trusted, text)) << text;
  }
}

// With 10.0.0.0/8 and fd00::/8 trusted.
std::string Client(std::string_view peer, const std::vector<std::string>& forwarded_for) {
  std::vector<Field> fields{{"Host", "a"}};
  for (const std::string& value : forwarded_for) fields.push_back({"x-forwarded-FOR", value});
  fields.push_back({"X-Forwarded-Host", "203.0.113.9"});
  return ClientAddress(fields, peer, Blocks({"10.0.0.0/8", "fd00::/8"}));
}

TEST(ClientAddressTest, APeerThatIsNotTrustedIsTheClientWhateverItSays) {
  EXPECT_EQ(Client("192.0.2.1", {"203.0.113.1"}), "192.0.2.1");
  EXPECT_EQ(Client("unix", {"203.0.113.1"}), "unix");
  EXPECT_EQ(Client("", {"203.0.113.1"}), "");
  EXPECT_EQ(ClientAddress({{"X-Forwarded-For", "203.0.113.1"}}, "10.0.0.1", {}), "10.0.0.1");
}

TEST(ClientAddressTest, ATrustedPeerThatSaysNothingIsTheClient) {
  EXPECT_EQ(Client("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(Client("10.0.0.1", {""}), "10.0.0.1");
}

TEST(ClientAddressTest, TheFirstHopFromTheEndThatIsNotTrustedIsTheClient) {
  EXPECT_EQ(Client("10.0.0.1", {"203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(Client("10.0.0.1", {"198.51.100.1, 203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(Client("10.0.0.1", {"198.51.100.1,203.0.113.1\t, 10.0.0.3 ,fd00::2"}), "203.0.113.1");
  EXPECT_EQ(Client("fd00::1", {"10.0.0.9, 203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(Client("::ffff:10.0.0.1", {"203.0.113.1"}), "203.0.113.1");
}

TEST(ClientAddressTest, AllFieldsAreOneList) {
  EXPECT_EQ(Client("10.0.0.1", {"198.51.100.1", "203.0.113.1, 10.0.0.3", "10.0.0.2"}),
            "203.0.113.1");
  EXPECT_EQ(Client("10.0.0.1", {"203.0.113.1", "198.51.100.1"}), "198.51.100.1");
}

TEST(ClientAddressTest, WhenAllHopsAreTrustedTheFirstIsTheClient) {
  EXPECT_EQ(Client("10.0.0.1", {"10.0.0.4, 10.0.0.3", "10.0.0.2"}), "10.0.0.4");
}

TEST(ClientAddressTest, AnElementThatIsNoAddressEndsTheWalk) {
  for (const char* element : {"unknown",
                              "_hidden",
                              "",
                              " ",
                              "203.0.113.1 x",
                              "\"203.0.113.1\"",
                              "203.0.113.1:",
                              "203.0.113.1:http",
                              "203.0.113.1:65536",
                              "203.0.113.1:80:80",
                              "[203.0.113.1]",
                              "[::1",
                              "[]",
                              "[",
                              "]",
                              "::1]",
                              "[::1]80",
                              "[::1]:",
                              "[::1]:-1",
                              "[::1]]",
                              ":80",
                              "a.example"}) {
    const std::string before = std::string("198.51.100.1, ") + element;
    EXPECT_EQ(Client("10.0.0.1", {before}), "10.0.0.1") << element;
    EXPECT_EQ(Client("10.0.0.1", {before + ", 10.0.0.3"}), "10.0.0.3") << element;
    EXPECT_EQ(Client("10.0.0.1", {before, "10.0.0.3"}), "10.0.0.3") << element;
    EXPECT_EQ(Client("10.0.0.1", {before + ", 203.0.113.9"}), "203.0.113.9") << element;
  }
}

TEST(ClientAddressTest, AnElementCanHaveAPort) {
  EXPECT_EQ(Client("10.0.0.1", {"203.0.113.1:49152"}), "203.0.113.1");
  EXPECT_EQ(Client("10.0.0.1", {"203.0.113.1, 10.0.0.3:0, [fd00::2]:65535"}), "203.0.113.1");
  EXPECT_EQ(Client("10.0.0.1", {"[2001:db8::1]:80"}), "2001:db8::1");
  EXPECT_EQ(Client("10.0.0.1", {"[2001:db8::1]"}), "2001:db8::1");
}

TEST(ClientAddressTest, AnAddressHasOneSpelling) {
  EXPECT_EQ(Client("10.0.0.1", {"2001:DB8:0:0::1"}), "2001:db8::1");
  EXPECT_EQ(Client("10.0.0.1", {"::ffff:203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(Client("10.0.0.1", {"198.51.100.1, [::ffff:10.0.0.2]:80"}), "198.51.100.1");
}

TEST(ClientAddressTest, AListOfManyHopsIsWalkedToItsBegin) {
  std::string value = "203.0.113.1";
  for (int i = 0; i < 10'000; ++i) value += ",10.0.0.2";
  EXPECT_EQ(Client("10.0.0.1", {value}), "203.0.113.1");
}

}  // namespace
}  // namespace connguard
