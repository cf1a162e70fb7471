// Whom the client trusts, what it says when it does not, and that sessions are resumed.
#include "engine/net/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "tests/support/pool_harness.hpp"

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace tests;

void answer_all(peer& client) {
  while (client.read_request()) client.send(answer_with("ok"));
}

engine::http_failure failure_against(const engine::http_origin& origin) {
  pool_harness harness;
  auto result = harness.get(origin);
  if (result) return {.code = engine::http_errc::malformed, .message = "no failure at all", .head = std::nullopt};
  EXPECT_EQ(harness.pool->open_connections(), 0U);
  EXPECT_FALSE(result.error().request_sent);
  return std::move(result).error();
}

TEST(tls, accepts_an_ip_address_and_a_name_that_the_certificate_lists) {
  const test_authority authority;
  loopback_server server(answer_all,
                         tls_settings{.self = authority.issue("IP:127.0.0.1,DNS:sls.test,DNS:*.wild.test")});
  pool_harness harness;
  for (const auto* name : {"127.0.0.1", "sls.test", "project.wild.test"}) {
    EXPECT_EQ(summary(harness.get(tls_origin(server, authority, name))), "200 ok") << name;
  }
}

TEST(tls, refuses_a_name_that_the_certificate_does_not_list) {
  const test_authority authority;
  loopback_server server(answer_all, tls_settings{.self = authority.issue("DNS:other.test")});
  for (const auto* name : {"sls.test", "127.0.0.1", "other.test.evil", "test", "a.other.test"}) {
    const auto failure = failure_against(tls_origin(server, authority, name));
    EXPECT_EQ(failure.code, engine::http_errc::tls);
    EXPECT_THAT(failure.message, AllOf(HasSubstr("not valid for"), HasSubstr(name)));
  }
}

TEST(tls, does_not_take_a_name_for_an_ip_address) {
  const test_authority authority;
  loopback_server server(answer_all, tls_settings{.self = authority.issue("DNS:127.0.0.1")});
  EXPECT_EQ(failure_against(tls_origin(server, authority)).code, engine::http_errc::tls);
}

TEST(tls, refuses_to_go_on_without_a_name_to_check) {
  const test_authority authority;
  loopback_server server(answer_all, tls_settings{.self = authority.issue("IP:127.0.0.1")});
  EXPECT_EQ(failure_against(tls_origin(server, authority, "")).code, engine::http_errc::tls);
}

TEST(tls, refuses_a_certificate_of_another_authority) {
  const test_authority authority;
  const test_authority other;
  loopback_server server(answer_all, tls_settings{.self = other.issue("IP:127.0.0.1")});
  auto from_system = tls_origin(server, authority);
  from_system.ca_file.clear();
  for (const auto& origin : {tls_origin(server, authority), from_system}) {
    const auto failure = failure_against(origin);
    EXPECT_EQ(failure.code, engine::http_errc::tls);
    EXPECT_THAT(failure.message, AllOf(HasSubstr("not trusted"), HasSubstr("issuer certificate")));
  }
}

TEST(tls, refuses_a_certificate_outside_its_time) {
  const test_authority authority;
  const std::pair<validity, std::string> cases[] = {{{.from_s = -7200, .until_s = -3600}, "expired"},
                                                    {{.from_s = 3600, .until_s = 7200}, "not yet valid"}};
  for (const auto& [when, words] : cases) {
    loopback_server server(answer_all, tls_settings{.self = authority.issue("IP:127.0.0.1", when)});
    const auto failure = failure_against(tls_origin(server, authority));
    EXPECT_EQ(failure.code, engine::http_errc::tls);
    EXPECT_THAT(failure.message, AllOf(HasSubstr("not trusted"), HasSubstr(words)));
  }
}

TEST(tls, refuses_versions_before_1_2) {
  const test_authority authority;
  loopback_server server(answer_all, tls_settings{.self = authority.issue("IP:127.0.0.1"), .old_versions_only = true});
  const auto failure = failure_against(tls_origin(server, authority));
  EXPECT_EQ(failure.code, engine::http_errc::tls);
  EXPECT_THAT(failure.message, AllOf(HasSubstr("handshake failed"), HasSubstr("protocol version")));
}

TEST(tls, names_a_ca_file_that_cannot_be_used) {
  const test_authority authority;
  loopback_server server(answer_all, tls_settings{.self = authority.issue("IP:127.0.0.1")});
  auto origin = tls_origin(server, authority);
  origin.ca_file = "/nonexistent/ca.pem";
  EXPECT_THAT(failure_against(origin).message, AllOf(HasSubstr("/nonexistent/ca.pem"), HasSubstr("No such file")));
  const test_authority emptied;
  std::ofstream(emptied.ca_file(), std::ios::trunc) << "not a certificate\n";
  origin.ca_file = emptied.ca_file();
  const auto failure = failure_against(origin);
  EXPECT_EQ(failure.code, engine::http_errc::tls);
  EXPECT_THAT(failure.message, HasSubstr(emptied.ca_file()));
}

TEST(tls, sends_names_but_never_ip_addresses_as_sni) {
  const test_authority authority;
  std::mutex mutex;
  std::vector<std::string> seen;
  loopback_server server(
      [&](peer& client) {
        {
          const std::lock_guard lock(mutex);
          seen.push_back(client.server_name());
        }
        answer_all(client);
      },
      tls_settings{.self = authority.issue("IP:127.0.0.1,DNS:sls.test")});
  pool_harness harness;
  EXPECT_EQ(summary(harness.get(tls_origin(server, authority, "sls.test"))), "200 ok");
  EXPECT_EQ(summary(harness.get(tls_origin(server, authority, "127.0.0.1"))), "200 ok");
  const std::lock_guard lock(mutex);
  EXPECT_THAT(seen, ElementsAre("sls.test", ""));
}

TEST(tls, resumes_the_session_of_an_earlier_connection) {
  const test_authority authority;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    std::atomic<int> resumed = 0;
    loopback_server server(
        [&](peer& client) {
          if (client.resumed()) ++resumed;
          while (client.read_request()) client.send(answer_with("ok", "Connection: close\r\n"));
        },
        tls_settings{.self = authority.issue("IP:127.0.0.1,DNS:sls.test"), .version_max = version});
    pool_harness harness;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(summary(harness.get(tls_origin(server, authority))), "200 ok");
    EXPECT_EQ(server.connections(), 5);
    EXPECT_EQ(resumed, 4);
    // Another name is another origin: what was verified for one is not taken over for the other.
    EXPECT_EQ(summary(harness.get(tls_origin(server, authority, "sls.test"))), "200 ok");
    EXPECT_EQ(resumed, 4);
  }
}

TEST(tls, reads_a_ca_file_again_when_it_has_changed) {
  const test_authority authority;
  engine::tls_trusts trusts;
  const auto first = trusts.for_file(authority.ca_file());
  ASSERT_TRUE(first);
  EXPECT_EQ(trusts.for_file(authority.ca_file()).value(), *first);
  std::filesystem::last_write_time(authority.ca_file(),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  const auto second = trusts.for_file(authority.ca_file());
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
}

TEST(tls, knows_ip_literals_with_and_without_brackets) {
  EXPECT_TRUE(engine::is_ip_literal("127.0.0.1"));
  EXPECT_TRUE(engine::is_ip_literal("::1"));
  EXPECT_TRUE(engine::is_ip_literal("[::1]"));
  EXPECT_FALSE(engine::is_ip_literal("localhost"));
  EXPECT_FALSE(engine::is_ip_literal("1.2.3"));
  EXPECT_FALSE(engine::is_ip_literal(""));
}

}  // namespace
