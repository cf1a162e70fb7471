#include <gtest/gtest.h>

#include "azure_world.hpp"

namespace {

using namespace emulator_tests;
using namespace emulator;

constexpr std::string_view event = R"({"eventId":"id-a","eventTime":"2026-03-04T05:06:07Z","requestId":"abc-1"})";
constexpr std::string_view row =
    R"({"TimeGenerated":"2026-03-04T05:06:07Z","eventId":"id-a","eventTime":"2026-03-04T05:06:07Z","requestId":"abc-1"})";

std::string verdict(const response& answer) { return azure_world::verdict(answer); }

std::uint64_t stored_rows(azure_world& world) {
  const auto counts = world.book.totals();
  return counts.delivered_unique + counts.duplicates + counts.altered + counts.unknown;
}

TEST(ingestion, takes_plain_and_gzip_bodies) {
  azure_world world;
  world.store(event);
  const auto answer = world.upload_gzip("[" + value_row(event) + "]");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, nullptr);
  EXPECT_EQ(verdict(world.upload("[" + std::string(row) + "]")), "204");
  EXPECT_EQ(numbers(world.book.totals()), (std::vector<std::uint64_t>{1, 1, 1, 0, 0, 0}));
}

TEST(ingestion, takes_what_clients_send_besides) {
  azure_world world;
  EXPECT_EQ(verdict(world.upload("[]")), "204");
  EXPECT_EQ(verdict(world.upload(
                "[{}]", {}, azure_world::path(azure_world::rule, azure_world::stream, "api%2Dversion=2023-01-01"))),
            "204");
  EXPECT_EQ(
      verdict(world.upload(
          "[{}]", {}, azure_world::path(azure_world::rule, azure_world::stream, "api-version=2021-11-01-preview"))),
      "204");
  EXPECT_EQ(verdict(world.upload("[{}]", {}, azure_world::path("DCR-00000000000000000000000000000001"))), "204");
  EXPECT_EQ(azure_world::header(world.upload("[]", {{"x-ms-client-request-id", "me"}}), "x-ms-client-request-id"),
            "me");
  world.token = world.fetch_token("https://monitor.azure.com//.default");
  EXPECT_EQ(verdict(world.upload(" [ {\"a\":[1e400,0e999,{\"b\":null}]} , {} ] ")), "204");
}

TEST(ingestion, refuses_wrong_addresses) {
  azure_world world;
  EXPECT_EQ(verdict(world.upload("[]", {}, azure_world::path("dcr-unknown"))), "404 NotFound");
  EXPECT_EQ(verdict(world.upload("[]", {}, azure_world::path(azure_world::rule, "custom-alicloudactiontraillogs"))),
            "400 InvalidStream");
  EXPECT_EQ(verdict(world.upload("[]", {}, azure_world::path(azure_world::rule, azure_world::stream, ""))),
            "400 MissingApiVersionParameter");
  EXPECT_EQ(verdict(world.upload("[]", {},
                                 azure_world::path(azure_world::rule, azure_world::stream, "api-version=2020-01-01"))),
            "400 UnsupportedApiVersion");
  EXPECT_EQ(verdict(world.upload("[]", {}, "/dataCollectionRules/" + std::string(azure_world::rule))), "404 NotFound");
  EXPECT_EQ(verdict(world.roles.handle(azure_world::call("GET", azure_world::path()))), "405 MethodNotAllowed");
}

TEST(ingestion, refuses_tokens_by_their_fault) {
  auto options = azure_world::usual();
  options.token_lifetime = std::chrono::seconds(60);
  azure_world world(options);
  const auto with = [&](header_list headers) {
    return verdict(world.roles.handle(azure_world::call("POST", azure_world::path(), std::move(headers), "[]")));
  };
  EXPECT_EQ(with({}), "401 AuthenticationTokenMissing");
  EXPECT_EQ(with({{"authorization", "Basic abc"}}), "401 InvalidToken");
  EXPECT_EQ(with({{"authorization", "Bearer abc"}}), "401 InvalidToken");
  EXPECT_EQ(with({{"authorization", "Bearer " + world.fetch_token("https://management.azure.com/.default")}}),
            "401 InvalidAudience");
  const std::string token = world.fetch_token();
  EXPECT_EQ(with({{"authorization", "Bearer " + token}}), "204");
  world.wall += std::chrono::seconds(59);
  EXPECT_EQ(with({{"authorization", "bearer " + token}}), "204");
  world.wall += std::chrono::seconds(1);
  EXPECT_EQ(with({{"authorization", "Bearer " + token}}), "401 TokenExpired");
}

TEST(ingestion, challenges_tokens_that_brought_no_claims) {
  auto options = azure_world::usual();
  options.claims_challenge = true;
  azure_world world(options);
  const auto answer = world.upload("[]");
  EXPECT_EQ(answer.status, 401);
  EXPECT_NE(azure_world::header(answer, "www-authenticate").find("error=\"insufficient_claims\", claims=\""),
            std::string::npos);
  world.token = azure_world::text(world.ask_token(azure_world::token_form() + "&claims=%7B%7D"), "access_token");
  EXPECT_EQ(verdict(world.upload("[]")), "204");
}

TEST(ingestion, limits_the_length_on_the_wire_before_it_looks_inside) {
  azure_world world;
  const std::string opening = "[{\"a\":\"";
  const std::string closing = "\"}]";
  const std::string fits = opening + std::string(1'048'576 - opening.size() - closing.size(), 'x') + closing;
  EXPECT_EQ(verdict(world.upload(fits)), "204");
  EXPECT_EQ(verdict(world.upload(fits + " ")), "413 ContentLengthLimitExceeded");
  EXPECT_EQ(verdict(world.upload(std::string(1'048'577, '?'))), "413 ContentLengthLimitExceeded");
  EXPECT_EQ(verdict(world.upload("", {{"content-length", "1048577"}})), "413 ContentLengthLimitExceeded");
}

TEST(ingestion, limits_the_decompressed_size) {
  azure_world world;
  const std::string opening = "[{\"a\":\"";
  const std::string closing = "\"}]";
  const auto of_size = [&](std::size_t bytes) {
    return opening + std::string(bytes - opening.size() - closing.size(), 'x') + closing;
  };
  EXPECT_EQ(verdict(world.upload_gzip(of_size(52'428'800))), "204");
  EXPECT_EQ(verdict(world.upload_gzip(of_size(52'428'801))), "413 PayloadSizeLimitExceeded");
  auto options = azure_world::usual();
  options.limit_uncompressed = true;
  azure_world strict(options);
  EXPECT_EQ(verdict(strict.upload_gzip(of_size(1'048'576))), "204");
  EXPECT_EQ(verdict(strict.upload_gzip(of_size(1'048'577))), "413 ContentLengthLimitExceeded");
}

TEST(ingestion, refuses_encodings_it_cannot_read) {
  azure_world world;
  const std::string good = gzipped("[{}]");
  const auto send = [&](std::string body, std::string coding = "gzip") {
    return verdict(world.upload(std::move(body), {{"content-encoding", std::move(coding)}}));
  };
  EXPECT_EQ(send(good), "204");
  EXPECT_EQ(send(good + gzipped(" ")), "204");  // members may follow one another
  EXPECT_EQ(send(good.substr(0, good.size() - 1)), "400 InvalidContentEncoding");
  EXPECT_EQ(send(good + "x"), "400 InvalidContentEncoding");
  for (const std::size_t from_end : {1U, 5U}) {  // ISIZE, CRC32
    std::string broken = good;
    broken[broken.size() - from_end] ^= 1;
    EXPECT_EQ(send(broken), "400 InvalidContentEncoding");
  }
  EXPECT_EQ(send("[{}]"), "400 InvalidContentEncoding");
  EXPECT_EQ(send("[{}]", "br"), "400 InvalidContentEncoding");
  EXPECT_EQ(send("[{}]", "identity"), "204");
  EXPECT_EQ(send(gzipped(good)), "400 InvalidPayload");  // compressed twice
  EXPECT_EQ(stored_rows(world), 3U);
}

TEST(ingestion, refuses_bodies_that_are_no_array_of_objects) {
  azure_world world;
  for (const std::string_view body : {"{}", "null", "[1]", "[[]]", "[{}", "[{},]", "[{}]x", "[{\"a\":1}\n{\"b\":2}]",
                                      "[\"\"]", "[null]", "[{\"a\":\"\n\"}]", "[{\"a\":NaN}]", "[{\"a\":\"\xff\"}]",
                                      "[{\"a\":\"\\ud800\"}]", "[{\"a\":1e400,\"b\":}]", "\xef\xbb\xbf[]"}) {
    EXPECT_EQ(verdict(world.upload(std::string(body))), "400 InvalidPayload") << body;
  }
  EXPECT_EQ(verdict(world.upload("")), "500");
  EXPECT_EQ(stored_rows(world), 0U);
}

TEST(ingestion, throttles_by_requests_and_bytes_per_minute) {
  auto options = azure_world::usual();
  options.rule_requests_per_minute = 2;
  azure_world world(options);
  EXPECT_EQ(world.upload("[]").status, 204);
  EXPECT_EQ(world.upload("[]").status, 204);
  const auto refused = world.upload("[]");
  EXPECT_EQ(verdict(refused), "429 TooManyRequests");
  const int wait = std::stoi(azure_world::header(refused, "retry-after"));
  EXPECT_GE(wait, 1);
  EXPECT_LE(wait, 30);
  world.wall += std::chrono::seconds(wait);
  EXPECT_EQ(world.upload("[]").status, 204);

  options.rule_requests_per_minute = 0;
  options.rule_bytes_per_minute = 600;
  azure_world weighed(options);
  EXPECT_EQ(weighed.upload("[{\"a\":\"" + std::string(1191, 'x') + "\"}]").status, 204);  // 1,201 bytes: 601 too many
  const auto later = weighed.upload("[]");
  EXPECT_EQ(azure_world::header(later, "retry-after"), "61");
  weighed.wall += std::chrono::seconds(61);
  EXPECT_EQ(weighed.upload("[]").status, 204);
}

TEST(ingestion, obeys_the_fault_header) {
  azure_world world;
  const auto send = [&](std::string fault, std::string id = "one") {
    return world.upload("[{}]", {{"x-emulator-fault", std::move(fault)}, {"x-ms-client-request-id", std::move(id)}});
  };
  const auto first = send("429;count=2;retry-after=7");
  EXPECT_EQ(verdict(first), "429 TooManyRequests");
  EXPECT_EQ(azure_world::header(first, "retry-after"), "7");
  EXPECT_EQ(send("429;count=2;retry-after=7").status, 429);
  EXPECT_EQ(send("429;count=2;retry-after=7").status, 204);
  EXPECT_EQ(send("429;count=2", "two").status, 429);
  EXPECT_EQ(send("503").status, 503);
  EXPECT_EQ(send("reset;count=1", "three").how, delivery::close_without_answer);
  EXPECT_EQ(send("reset;count=1", "three").status, 204);
  EXPECT_NE(azure_world::header(send("401;claims=1"), "www-authenticate"), "");
  EXPECT_EQ(azure_world::header(send("401"), "www-authenticate"), "");
  EXPECT_EQ(verdict(send("nonsense")), "400 InvalidFault");
  EXPECT_EQ(stored_rows(world), 2U);
}

TEST(ingestion, stores_nothing_on_status_and_reset_faults) {
  azure_world world;
  world.set_faults(
      R"([{"role":"ingest","op":"upload","match":{"rule":"dcr-00000000000000000000000000000001"},"kind":"status","status":403,"count":1},
                       {"role":"ingest","kind":"status","status":500,"count":1},{"role":"ingest","kind":"reset_after","count":1}])");
  EXPECT_EQ(verdict(world.upload("[{}]")), "403 OperationFailed");
  EXPECT_EQ(verdict(world.upload("[{}]")), "500");
  EXPECT_EQ(world.upload("[{}]").how, delivery::close_without_answer);
  EXPECT_EQ(stored_rows(world), 0U);
  EXPECT_EQ(verdict(world.upload("[{}]")), "204");
  EXPECT_EQ(stored_rows(world), 1U);
}

TEST(ingestion, stores_before_it_loses_the_answer) {
  azure_world world;
  world.store(event);
  world.set_faults(
      R"([{"role":"ingest","kind":"lost_answer","count":1},{"role":"ingest","kind":"stall","seconds":2,"count":1}])");
  EXPECT_EQ(world.upload_gzip("[" + value_row(event) + "]").how, delivery::close_without_answer);
  const auto held = world.upload_gzip("[" + value_row(event) + "]");
  EXPECT_EQ(held.status, 204);
  EXPECT_EQ(held.hold, std::chrono::milliseconds(2000));
  EXPECT_EQ(numbers(world.book.totals()), (std::vector<std::uint64_t>{1, 1, 1, 0, 0, 0}));
}

// What the ledger says after one upload of four events under this fault.
std::vector<std::uint64_t> spoilt(std::string_view kind, bool typed) {
  azure_world world;
  std::string body;
  for (int i = 0; i < 4; ++i) {
    const std::string tail =
        R"("eventId":"id-)" + std::to_string(i) + R"(","eventTime":"2026-03-04T05:06:07Z","requestId":"abc-1"})";
    world.store("{" + tail);
    body += (body.empty() ? "[" : ",") +
            (typed ? R"({"TimeGenerated":"2026-03-04T05:06:07Z",)" + tail : value_row("{" + tail));
  }
  world.set_faults(R"([{"role":"ingest","op":"upload","kind":")" + std::string(kind) + R"(","count":1}])");
  EXPECT_EQ(world.upload_gzip(body + "]").status, 204);
  return numbers(world.book.totals());
}

TEST(ingestion, spoils_one_row_so_that_the_ledger_sees_it) {
  for (const bool typed : {false, true}) {
    EXPECT_EQ(spoilt("drop_row", typed), (std::vector<std::uint64_t>{4, 3, 0, 1, 0, 0})) << typed;
    EXPECT_EQ(spoilt("double_row", typed), (std::vector<std::uint64_t>{4, 4, 1, 0, 0, 0})) << typed;
    EXPECT_EQ(spoilt("alter_byte", typed), (std::vector<std::uint64_t>{4, 3, 0, 1, 1, 0})) << typed;
  }
}

TEST(ingestion, tells_the_ledger_what_it_answered) {
  azure_world world;
  const std::string body = gzipped("[{}]");
  world.upload(body, {{"content-encoding", "gzip"}});
  world.upload("no json");
  EXPECT_NE(world.book.report().find(R"("rows":1,"requests":2,"wire_bytes":)" + std::to_string(body.size()) +
                                     R"(,"raw_bytes":4,"responses":{"204":1,"400":1})"),
            std::string::npos);
}

}  // namespace
