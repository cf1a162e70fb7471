"""What bad input, wrong settings and failing services get."""
import base64
import json
import os
import subprocess
import unittest

from cloud import BIN, Cloud, CloudTest, wait_for


class ServiceTrouble(CloudTest):
    def deliver_with(self, faults, events=20000, duplicates_max=0, **options):
        with Cloud(events=events, accounts=2, logstores=2, faults=json.dumps(faults), **options) as cloud:
            run = self.run_once(cloud, seconds=180)
            ledger = cloud.ledger()
            self.assert_all_delivered(ledger, duplicates_max)
            return ledger, run.text()

    def test_server_errors_and_resets_on_either_side_lose_and_double_nothing(self):
        self.deliver_with([
            {"role": "sls", "op": "pull_logs", "kind": "status", "status": 500, "code": "InternalServerError", "count": 3},
            {"role": "sls", "op": "pull_logs", "kind": "reset_before", "count": 3},
            {"role": "sls", "op": "get_cursor", "kind": "status", "status": 503, "code": "ServerBusy", "count": 2},
            {"role": "sls", "op": "list_shards", "kind": "reset_after", "count": 2},
            {"role": "ingest", "op": "upload", "kind": "status", "status": 503, "count": 2},
            {"role": "ingest", "op": "upload", "kind": "reset_before", "count": 2},
            {"role": "entra", "op": "token", "kind": "status", "status": 503, "count": 1},
        ])

    def test_throttling_slows_down_and_loses_nothing(self):
        ledger, text = self.deliver_with([
            {"role": "ingest", "op": "upload", "kind": "status", "status": 429, "retry_after": 1, "count": 3},
            {"role": "sls", "op": "pull_logs", "kind": "status", "status": 403, "code": "ReadQuotaExceed", "count": 3},
        ])
        self.assertIn("destination throttled", text)

    def test_a_body_that_is_too_large_is_cut_in_two(self):
        ledger, _ = self.deliver_with([{"role": "ingest", "op": "upload", "kind": "status", "status": 413,
                                        "code": "ContentLengthLimitExceeded", "count": 2}])
        self.assertGreaterEqual(sum(r["requests"] for r in ledger["rules"]), 4)

    def test_a_token_that_ends_early_is_renewed_once(self):
        self.deliver_with([{"role": "ingest", "op": "upload", "kind": "status", "status": 401, "code": "TokenExpired", "count": 1}])

    def test_a_lost_answer_doubles_at_most_the_rows_on_the_wire(self):
        with Cloud(events=20000, accounts=1, logstores=1,
                   faults=json.dumps([{"role": "ingest", "op": "upload", "kind": "lost_answer", "count": 1}])) as cloud:
            self.run_once(cloud)
            ledger = cloud.ledger()
            self.assert_all_delivered(ledger, duplicates_max=20000)
            self.assertGreater(ledger["events"]["duplicates"], 0)  # the fault was hit

    def test_truncated_garbage_and_wrongly_sized_replies_are_pulled_again(self):
        for kind in ("truncate", "garbage", "wrong_size"):
            with self.subTest(kind=kind):
                self.deliver_with([{"role": "sls", "op": "pull_logs", "kind": kind, "count": 2}], events=5000)

    def test_a_slow_and_a_stalled_peer_delay_but_lose_nothing(self):
        self.deliver_with([{"role": "sls", "op": "pull_logs", "kind": "slow", "seconds": 2, "count": 1},
                           {"role": "ingest", "op": "upload", "kind": "stall", "seconds": 2, "count": 1}], events=5000)

    def test_the_ledger_sees_a_row_the_service_dropped_altered_or_doubled(self):
        for kind, name in (("drop_row", "missing"), ("alter_byte", "altered"), ("double_row", "duplicates")):
            with self.subTest(kind=kind), Cloud(events=500, accounts=1, logstores=1, faults=json.dumps(
                    [{"role": "ingest", "op": "upload", "kind": kind, "count": 1}])) as cloud:
                self.run_once(cloud)
                self.assertGreater(cloud.ledger()["events"][name], 0)


class WrongSettings(CloudTest):
    def test_a_wrong_key_secret_parks_its_account_with_one_clear_message_and_others_run_on(self):
        with Cloud(events=4000, accounts=2, logstores=2) as cloud:
            bad = cloud.ready["accounts"][0]
            cloud.rewrite_config(lambda text: text.replace(bad["access_key_secret"], "wrong" + bad["access_key_secret"][5:]))
            with cloud.penstock("--once", "--once-probe-interval", "1s") as run:
                self.assertEqual(run.wait(), 1)
                text = run.text()
            lines = [l for l in text.splitlines() if "source parked" in l]
            self.assertEqual(len(lines), 1, text[-3000:])
            self.assertIn(bad["account"], lines[0])
            self.assertIn("SignatureNotMatch", lines[0])
            self.assertNotIn(bad["access_key_secret"], text)
            ledger = cloud.ledger()
            good = [l for l in ledger["logstores"] if l["account"] != bad["account"]]
            self.assertEqual([l["missing"] for l in good], [0] * len(good))
            routes = {(r["account"], r["state"]) for r in run.summary()["routes"]}
            self.assertIn((bad["account"], "failed"), routes)

    def test_an_unknown_logstore_parks_alone(self):
        with Cloud(events=2000, accounts=1, logstores=2) as cloud:
            name = cloud.ready["accounts"][0]["logstores"][0]
            cloud.rewrite_config(lambda text: text.replace('"' + name + '"', '"no-such-logstore", "' + name + '"', 1))
            with cloud.penstock("--once", "--once-probe-interval", "1s") as run:
                self.assertEqual(run.wait(), 1)
                self.assertIn("no-such-logstore", run.text())
                self.assertRegex(run.text(), "(?i)LogStoreNotExist")
            self.assert_all_delivered(cloud.ledger())

    def test_an_unknown_rule_parks_its_destination_and_loses_nothing(self):
        with Cloud(events=4000, accounts=2, logstores=1, rules=2) as cloud:
            rule = cloud.ready["azure"]["rules"][0]["rule"]
            unknown = "dcr-" + "0" * 32
            cloud.rewrite_config(lambda text: text.replace(rule, unknown))
            with cloud.penstock("--once", "--once-probe-interval", "1s") as run:
                self.assertEqual(run.wait(), 1)
                self.assertIn("destination parked", run.text())
            cloud.rewrite_config(lambda text: text.replace(unknown, rule))
            self.run_once(cloud)
            self.assert_all_delivered(cloud.ledger())

    def test_a_destination_that_comes_back_is_noticed_by_its_probe(self):
        with Cloud(events=3000, accounts=1, logstores=2) as cloud:
            cloud.faults([{"role": "ingest", "op": "upload", "kind": "status", "status": 403, "code": "OperationFailed", "count": 2}])
            with cloud.penstock("--once", "--once-probe-interval", "1s") as run:
                self.assertEqual(run.wait(), 0, run.text()[-3000:])
                self.assertIn("destination answers again", run.text())
            self.assert_all_delivered(cloud.ledger())

    def test_five_mistakes_give_five_lines_and_exit_2(self):
        with Cloud(events=0) as cloud:
            def spoil(text):
                text = text.replace("start: begin", "start: yesterday", 1)
                text = text.replace("format: value", "format: xml", 1)
                text = text.replace("coordination: none", "coordination: zookeeper", 1)
                text = text.replace("state:", "sate:", 1)
                return text.replace("type: sentinel", "type: splunk", 1)

            cloud.rewrite_config(spoil)
            done = subprocess.run([os.path.join(BIN, "penstock"), "check", "--config", cloud.config], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            lines = done.stdout.splitlines()
            for word in ("start", "format", "coordination", "sate", "type"):
                self.assertTrue([l for l in lines if l.startswith(cloud.config + ":") and word in l], done.stdout)

    def test_a_second_process_on_the_same_state_is_refused(self):
        with Cloud(events=1000, accounts=1, logstores=1) as cloud:
            with cloud.penstock() as first:
                wait_for(lambda: os.path.exists(os.path.join(cloud.folder, "state.db.lock")), 20)
                wait_for(lambda: cloud.ledger()["events"]["missing"] == 0, 30, 0.2)
                with cloud.penstock("--once") as second:
                    self.assertEqual(second.wait(), 1)
                self.assertIn(str(first.process.pid), first.text())
                self.assertEqual(first.stop(), 0)


class BadInput(CloudTest):
    def test_bad_events_are_dead_lettered_with_their_bytes_and_the_rest_delivered(self):
        bad = {"bad_json": "{\"eventId\":", "not_an_object": "null", "empty": "", "too_deep": "[" * 2000 + "]" * 2000}
        good = [json.dumps({"eventId": f"good-{i}", "eventName": "X", "eventTime": "2026-01-01T00:00:00Z"}) for i in range(10)]
        with Cloud(events=0, accounts=1, logstores=1) as cloud:
            account = cloud.ready["accounts"][0]
            where = {"project": account["project"], "logstore": account["logstores"][0]}
            cloud.append(**where, events=good[:5] + list(bad.values()) + good[5:])
            large = json.dumps({"eventId": "large", "eventTime": "2026-01-01T00:00:00Z", "eventName": "x" * 10_000_000})
            cloud.append(**where, events=[large])
            run = self.run_once(cloud, exit_code=3)
            letters = self.letters(cloud)
            for reason, original in bad.items():
                self.assertIn((reason, original), [(l["reason"], l.get("original")) for l in letters])
            self.assertEqual(run.summary()["events_delivered"] + run.summary()["dead_letters_undelivered"], 15)
            self.assertEqual(cloud.ledger()["events"]["altered"], 0)

    def letters(self, cloud):
        folder = os.path.join(cloud.folder, "dead-letters")
        out = []
        for name in sorted(os.listdir(folder)):
            text = subprocess.run(["zstd", "-dc", os.path.join(folder, name)], capture_output=True, check=True).stdout
            out += [json.loads(line) for line in text.splitlines()]
        return out

    def test_random_protobuf_is_dead_lettered_whole_after_its_retries(self):
        with Cloud(events=100, accounts=1, logstores=1) as cloud:
            account = cloud.ready["accounts"][0]
            garbage = bytes((i * 37 + 11) % 256 for i in range(300))
            cloud.append(project=account["project"], logstore=account["logstores"][0], raw_base64=base64.b64encode(garbage).decode())
            cloud.append(project=account["project"], logstore=account["logstores"][0],
                         events=[json.dumps({"eventId": "after", "eventTime": "2026-01-01T00:00:00Z"})])
            self.run_once(cloud, exit_code=3)
            letters = self.letters(cloud)
            self.assertEqual([l["reason"] for l in letters], ["undecodable_reply"])
            ledger = cloud.ledger()
            # The ledger counts the unreadable group as one event that never arrives.
            self.assertEqual((ledger["events"]["delivered_unique"], ledger["events"]["missing"]), (101, 1))

    def test_an_overlong_field_is_cut_marked_and_delivered_with_its_original_kept(self):
        for format in ("value", "typed"):
            with self.subTest(format=format), Cloud(events=0, accounts=1, logstores=1, format=format) as cloud:
                account = cloud.ready["accounts"][0]
                event = json.dumps({"eventId": "cut", "eventTime": "2026-01-01T00:00:00Z", "responseElements": {"x": "y" * 70000}})
                cloud.append(project=account["project"], logstore=account["logstores"][0], events=[event])
                run = self.run_once(cloud)
                self.assert_all_delivered(cloud.ledger())
                self.assertEqual(run.summary()["cut_fields"], 1)
                self.assertEqual([(l["reason"], l["original"]) for l in self.letters(cloud)], [("cut_field", event)])


if __name__ == "__main__":
    unittest.main()
