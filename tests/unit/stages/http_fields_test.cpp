#include "stages/http_fields.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace stages::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;

constexpr engine::wall_time morning = sys_days(year(2026) / 11 / 20) + 8h;

std::string every_byte() {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  return all;
}

engine::http_response_head head_of(engine::http_headers headers) {
  return {.status = 429, .headers = std::move(headers), .content_length = {}};
}

// --- numbers, words, texts -----------------------------------------------------------------------------------------

TEST(percent_encode, leaves_the_unreserved_characters_alone_and_no_others) {
  const std::string unreserved = "ABCXYZabcxyz0189-_.~";
  EXPECT_EQ(percent_encode(unreserved), unreserved);
  EXPECT_EQ(percent_encode("a b+c/d?e=f&g%h:i*j"), "a%20b%2Bc%2Fd%3Fe%3Df%26g%25h%3Ai%2Aj");
  EXPECT_EQ(percent_encode("\xc3\xa9\n"), "%C3%A9%0A");
  EXPECT_EQ(percent_encode(std::string_view("\0\x7f\xff", 3)), "%00%7F%FF");
  EXPECT_EQ(percent_encode(""), "");
  const auto all = percent_encode(every_byte());
  EXPECT_EQ(all.size(), 66u + (256u - 66u) * 3u);
}

TEST(parse_number, reads_decimal_digits_and_nothing_else) {
  EXPECT_EQ(parse_number("0"), 0u);
  EXPECT_EQ(parse_number("007"), 7u);
  EXPECT_EQ(parse_number("18446744073709551615"), 18446744073709551615u);
  for (const char* bad :
       {"", " ", "-0", "-1", "+1", "1 ", " 1", "1.0", "1e3", "0x1f", "1,000", "18446744073709551616", "x", "1x"}) {
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_number(std::string_view("1\0", 2)), std::nullopt);
}

TEST(ignoring_case, means_the_letters_of_ascii_only) {
  EXPECT_TRUE(equals_ignoring_case("LogStore-9_Z", "lOGsTORE-9_z"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("a", ""));
  EXPECT_FALSE(equals_ignoring_case("ab", "abc"));
  EXPECT_FALSE(equals_ignoring_case("@", "`"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
  EXPECT_FALSE(equals_ignoring_case("\xc3\x89", "\xc3\xa9"));
  EXPECT_EQ(to_lower("AZ[@`az{\xc3\x89"), "az[@`az{\xc3\x89");
}

TEST(contains_ignoring_case, finds_a_part_anywhere) {
  EXPECT_TRUE(contains_ignoring_case("Read QPS Exceed", "qps exceed"));
  EXPECT_TRUE(contains_ignoring_case("cursor", "CURSOR"));
  EXPECT_TRUE(contains_ignoring_case("abc", ""));
  EXPECT_TRUE(contains_ignoring_case("", ""));
  EXPECT_TRUE(contains_ignoring_case("aab", "AB"));
  EXPECT_FALSE(contains_ignoring_case("", "a"));
  EXPECT_FALSE(contains_ignoring_case("curso", "cursor"));
}

TEST(find_header, tells_an_empty_field_from_a_missing_one_and_takes_the_first) {
  const auto head = head_of({{"x-a", ""}, {"x-b", "1"}, {"x-b", "2"}, {"X-C", "3"}});
  EXPECT_EQ(find_header(head, "x-a"), "");
  EXPECT_EQ(find_header(head, "x-b"), "1");
  EXPECT_EQ(find_header(head, "x-c"), std::nullopt);
  EXPECT_EQ(find_header(head, "x"), std::nullopt);
}

TEST(clean_word, keeps_what_is_safe_in_a_log_line_or_a_label) {
  EXPECT_EQ(clean_word("InvalidAccessKeyId.NotFound_1-2"), "InvalidAccessKeyId.NotFound_1-2");
  EXPECT_EQ(clean_word("a b\r\nc\"d'e{f}g,h\\i\xc3\xa9j~"), "abcdefghij");
  EXPECT_EQ(clean_word(std::string(1000, 'x')), std::string(64, 'x'));
  EXPECT_EQ(clean_word(std::string(64, ' ') + "x"), "");
  EXPECT_EQ(clean_word(every_byte().substr(40, 64)), "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefg");
}

TEST(clean_id, keeps_hexadecimal_digits_and_dashes) {
  EXPECT_EQ(clean_id("5F012345-89ab-CDEF-0000-000000000000"), "5F012345-89ab-CDEF-0000-000000000000");
  EXPECT_EQ(clean_id("a g.Z_b\r\nc"), "abc");
  EXPECT_EQ(clean_id(std::string(100, 'f')), std::string(40, 'f'));
}

TEST(clean_sentence, is_printable_and_bounded) {
  EXPECT_EQ(clean_sentence("Shard 5 is not there!", {}), "Shard 5 is not there!");
  EXPECT_EQ(clean_sentence("a\r\nb\tc\x1b[0m\x7f\xc3\xa9~", {}), "a  b c [0m   ~");
  EXPECT_EQ(clean_sentence(std::string(400, 'x'), {}), std::string(400, 'x'));
  EXPECT_EQ(clean_sentence(std::string(401, 'x'), {}), std::string(400, 'x'));
}

TEST(clean_sentence, holds_none_of_the_forbidden_words) {
  EXPECT_EQ(clean_sentence("key s3cret and s3crets3cret, token t0ken", {"s3cret", "t0ken"}),
            "key *** and ******, token ***");
  EXPECT_EQ(clean_sentence("a secret that holds another: abcdef", {"abc", "abcdef"}),
            "a secret that holds another: ***");
  EXPECT_EQ(clean_sentence("nothing is forbidden", {"", std::string_view()}), "nothing is forbidden");
  EXPECT_EQ(clean_sentence("a*b", {"*"}), "a***b");
  EXPECT_EQ(clean_sentence("S3CRET", {"s3cret"}), "S3CRET");
}

// Cut first and searched afterwards, the first half of a secret would be left at the end.
TEST(clean_sentence, finds_a_forbidden_word_across_its_own_end) {
  const std::string secret = "abcdefghij";
  for (std::size_t before = 385; before <= 400; ++before) {
    const auto text = clean_sentence(std::string(before, '.') + secret, {secret});
    EXPECT_EQ(text.find('a'), std::string::npos) << before;
    EXPECT_EQ(text, (std::string(before, '.') + "***").substr(0, 400)) << before;
  }
}

// --- dates ---------------------------------------------------------------------------------------------------------

TEST(http_date, is_written_as_the_standard_wants_it) {
  EXPECT_EQ(format_date(morning), "Fri, 20 Nov 2026 08:00:00 GMT");
  EXPECT_EQ(format_date(morning + 999ms), "Fri, 20 Nov 2026 08:00:00 GMT");
  EXPECT_EQ(format_date(engine::wall_time{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(sys_days(year(2024) / 2 / 29) + 23h + 59min + 59s), "Thu, 29 Feb 2024 23:59:59 GMT");
  EXPECT_EQ(format_date(engine::wall_time(-1ms)), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(http_date, comes_back_for_every_day_of_some_years) {
  for (auto day = sys_days(year(2023) / 12 / 1); day < sys_days(year(2025) / 2 / 1); day += std::chrono::days(1)) {
    const engine::wall_time when = day + 1h + 2min + 3s;
    EXPECT_EQ(parse_date(format_date(when)), when) << format_date(when);
  }
}

TEST(http_date, is_read_with_one_digit_of_a_day_and_a_leap_second_too) {
  EXPECT_EQ(parse_date("Fri, 20 Nov 2026 08:00:00 GMT"), morning);
  EXPECT_EQ(parse_date("Sun, 1 Nov 2026 08:00:00 GMT"), sys_days(year(2026) / 11 / 1) + 8h);
  EXPECT_EQ(parse_date("Sun, 01 Nov 2026 08:00:00 GMT"), sys_days(year(2026) / 11 / 1) + 8h);
  EXPECT_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT"), sys_days(year(2017) / 1 / 1));
}

TEST(http_date, is_nothing_when_a_part_is_wrong) {
  for (const char* bad : {"",
                          "Fri",
                          "Fri, ",
                          "20 Nov 2026 08:00:00 GMT",
                          "Fri, 20 Nov 2026 08:00:00",
                          "Fri, 20 Nov 2026 08:00:00 UTC",
                          "Fri, 20 Nov 2026 08:00:00 GMT ",
                          "Fri, 20 nov 2026 08:00:00 GMT",
                          "Fri, 20 Nox 2026 08:00:00 GMT",
                          "Fri, 00 Nov 2026 08:00:00 GMT",
                          "Fri, 31 Nov 2026 08:00:00 GMT",
                          "Sun, 29 Feb 2026 08:00:00 GMT",
                          "Fri, 020 Nov 2026 08:00:00 GMT",
                          "Fri,  20 Nov 2026 08:00:00 GMT",
                          "Fri, 20-Nov-2026 08:00:00 GMT",
                          "Fri, 20 Nov 26 08:00:00 GMT",
                          "Fri, 20 Nov 2026 24:00:00 GMT",
                          "Fri, 20 Nov 2026 08:60:00 GMT",
                          "Fri, 20 Nov 2026 08:00:61 GMT",
                          "Fri, 20 Nov 2026 08.00:00 GMT",
                          "Fri, 20 Nov 2026 08:00.00 GMT",
                          "Fri, 20 Nov 2026x08:00:00 GMT",
                          "Fri, 20 Novx2026 08:00:00 GMT",
                          "Fri, 20xNov 2026 08:00:00 GMT",
                          "Fri, 20 Nov 2026 -8:00:00 GMT",
                          "Fri, 20 Nov 2026 08:00:00 GMTx",
                          "Friday, 20-Nov-26 08:00:00 GMT",
                          "Fri Nov 20 08:00:00 2026",
                          ", ",
                          "2026-11-20T08:00:00Z"}) {
    EXPECT_EQ(parse_date(bad), std::nullopt) << bad;
  }
}

// --- how long to wait ----------------------------------------------------------------------------------------------

std::optional<engine::duration> waiting(engine::http_headers headers) {
  return retry_after(head_of(std::move(headers)), morning);
}

TEST(retry_after, is_read_in_seconds) {
  EXPECT_EQ(waiting({{"retry-after", "12"}}), 12s);
  EXPECT_EQ(waiting({{"retry-after", "0"}}), 0s);
  EXPECT_EQ(waiting({{"retry-after", "3600"}}), 1h);
  for (const char* bad : {"", "soon", "-3", "1.5", "12 ", "12s"}) {
    EXPECT_EQ(waiting({{"retry-after", bad}}), std::nullopt) << bad;
  }
  EXPECT_EQ(waiting({}), std::nullopt);
}

TEST(retry_after, is_read_in_milliseconds_which_go_before_seconds) {
  EXPECT_EQ(waiting({{"retry-after-ms", "1500"}}), 1500ms);
  EXPECT_EQ(waiting({{"x-ms-retry-after-ms", "1500"}}), 1500ms);
  EXPECT_EQ(waiting({{"retry-after", "9"}, {"x-ms-retry-after-ms", "2"}, {"retry-after-ms", "1"}}), 1ms);
  EXPECT_EQ(waiting({{"retry-after", "9"}, {"x-ms-retry-after-ms", "2"}, {"retry-after-ms", "x"}}), 2ms);
  EXPECT_EQ(waiting({{"retry-after", "9"}, {"x-ms-retry-after-ms", "x"}}), 9s);
}

TEST(retry_after, is_read_as_a_date_by_the_services_clock_where_it_tells_it) {
  EXPECT_EQ(waiting({{"retry-after", "Fri, 20 Nov 2026 08:00:30 GMT"}}), 30s);
  EXPECT_EQ(waiting({{"retry-after", "Fri, 20 Nov 2026 08:00:30 GMT"}, {"date", "Fri, 20 Nov 2026 08:00:10 GMT"}}),
            20s);
  EXPECT_EQ(waiting({{"retry-after", "Fri, 20 Nov 2026 08:00:30 GMT"}, {"date", "yesterday"}}), 30s);
  EXPECT_EQ(waiting({{"retry-after", "Fri, 20 Nov 2026 08:00:00 GMT"}}), 0s);
  EXPECT_EQ(waiting({{"retry-after", "Thu, 01 Jan 1970 00:00:00 GMT"}}), 0s);
}

TEST(retry_after, is_believed_up_to_an_hour) {
  EXPECT_EQ(retry_after_max, 1h);
  EXPECT_EQ(waiting({{"retry-after", "3601"}}), 1h);
  EXPECT_EQ(waiting({{"retry-after", "18446744073709551615"}}), 1h);
  EXPECT_EQ(waiting({{"retry-after-ms", "3600001"}}), 1h);
  EXPECT_EQ(waiting({{"retry-after-ms", "18446744073709551615"}}), 1h);
  EXPECT_EQ(waiting({{"retry-after", "Fri, 20 Nov 2026 09:00:01 GMT"}}), 1h);
  EXPECT_EQ(waiting({{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"}, {"date", "Sat, 01 Jan 0000 00:00:00 GMT"}}), 1h);
  EXPECT_EQ(waiting({{"retry-after", "18446744073709551616"}}), std::nullopt);
}

// --- addresses -----------------------------------------------------------------------------------------------------

// tls, host, port and path, or the sentence of the error.
std::string read_url(std::string_view text) {
  const auto url = parse_base_url(text);
  if (!url) return "error: " + url.error();
  return std::string(url->tls ? "tls " : "plain ") + url->host + " " + std::to_string(url->port) + " '" + url->path +
         "'";
}

TEST(base_url_text, may_leave_out_all_but_the_host) {
  EXPECT_EQ(read_url("Example.COM"), "tls example.com 443 ''");
  EXPECT_EQ(read_url("https://example.com"), "tls example.com 443 ''");
  EXPECT_EQ(read_url("HTTP://example.com"), "plain example.com 80 ''");
  EXPECT_EQ(read_url("http://example.com:8080/a/B"), "plain example.com 8080 '/a/B'");
  EXPECT_EQ(read_url("example.com:1"), "tls example.com 1 ''");
  EXPECT_EQ(read_url("example.com:65535///"), "tls example.com 65535 ''");
  EXPECT_EQ(read_url("example.com/a/b//"), "tls example.com 443 '/a/b'");
  EXPECT_EQ(read_url("127.0.0.1:9000"), "tls 127.0.0.1 9000 ''");
}

TEST(base_url_text, has_ipv6_addresses_in_brackets) {
  EXPECT_EQ(read_url("https://[::1]"), "tls ::1 443 ''");
  EXPECT_EQ(read_url("http://[FE80::1]:8080/x"), "plain fe80::1 8080 '/x'");
  EXPECT_EQ(read_url("::1"), "error: an IPv6 address must stand in brackets");
  EXPECT_EQ(read_url("[::1"), "error: an IPv6 address needs a closing bracket");
  EXPECT_EQ(read_url("[::1]x"), "error: only a port may follow the address");
  EXPECT_EQ(read_url("[host]"), "error: brackets are for IPv6 addresses only");
  EXPECT_EQ(read_url("[::1]:"), "error: the port must be a number from 1 to 65535");
}

TEST(base_url_text, says_what_is_wrong_with_it) {
  EXPECT_EQ(read_url("ftp://x"), "error: the scheme must be https or http");
  EXPECT_EQ(read_url("://x"), "error: the scheme must be https or http");
  for (const char* text : {"", "https://", "https:///path", "/path", ":443"}) {
    EXPECT_EQ(read_url(text), "error: the host is missing") << text;
  }
  for (const char* text : {"h:", "h:0", "h:65536", "h:a", "h:-1", "h:80x", "h: 80", "h:18446744073709551616"}) {
    EXPECT_EQ(read_url(text), "error: the port must be a number from 1 to 65535") << text;
  }
  for (const char* text :
       {"a b", "h\nost", "user@host", "h%41", "h\\x", "h?x", "h#x", "\xc3\xa9.example", "[::1%25lo]"}) {
    EXPECT_EQ(read_url(text), "error: the host has a character that no host name has") << text;
  }
  for (const char* text : {"h/a b", "h/a?b", "h/a#b", "h/\r\nX: y", "h/\xc3\xa9", "h/\x7f"}) {
    EXPECT_EQ(read_url(text), "error: the path has a character that must be encoded") << text;
  }
}

TEST(host_field, names_the_port_unless_it_is_the_schemes_own) {
  EXPECT_EQ(host_field({.tls = true, .host = "h", .port = 443, .path = {}}), "h");
  EXPECT_EQ(host_field({.tls = true, .host = "h", .port = 80, .path = {}}), "h:80");
  EXPECT_EQ(host_field({.tls = false, .host = "h", .port = 80, .path = {}}), "h");
  EXPECT_EQ(host_field({.tls = false, .host = "h", .port = 443, .path = {}}), "h:443");
  EXPECT_EQ(host_field({.tls = true, .host = "::1", .port = 443, .path = {}}), "[::1]");
  EXPECT_EQ(host_field({.tls = true, .host = "::1", .port = 1, .path = "/x"}), "[::1]:1");
}

TEST(ip_literal, is_an_address_and_not_a_name) {
  for (const char* address : {"127.0.0.1", "10.20.30.40", "::1", "fe80::1"}) EXPECT_TRUE(is_ip_literal(address));
  for (const char* name : {"", "localhost", "example.com", "1.2.3", "1.2.3.4.5", "a.b.c.d", "1.2.3.x"}) {
    EXPECT_FALSE(is_ip_literal(name)) << name;
  }
}

TEST(origin_of, verifies_the_host_under_its_own_name) {
  const engine::http_origin origin = origin_of({.tls = false, .host = "h", .port = 8080, .path = "/x"}, "/etc/ca.pem");
  const engine::http_origin expected{
      .tls = false, .host = "h", .port = 8080, .verify_name = "h", .ca_file = "/etc/ca.pem"};
  EXPECT_EQ(origin, expected);
  EXPECT_TRUE(origin_of({.tls = true, .host = "h", .port = 443, .path = {}}, "").tls);
}

}  // namespace
}  // namespace stages::http
