"""Every event arrives, once and unchanged, over TLS both ways."""
import os
import unittest

from cloud import SOURCE, Cloud, CloudTest

SAMPLES = os.environ.get("PENSTOCK_SAMPLES", os.path.join(SOURCE, "../shared/data/actiontrail-samples.ndjson"))


class Delivery(CloudTest):
    def deliver(self, **options):
        with Cloud(**options) as cloud:
            run = self.run_once(cloud)
            ledger = cloud.ledger()
            self.assert_all_delivered(ledger)
            summary = run.summary()
            self.assertEqual(summary["events_delivered"], ledger["events"]["stored"])
            self.assertEqual(summary["dead_letters"], 0)
            return ledger, summary

    def test_every_column_of_every_generated_event_equals_the_source_as_value_rows(self):
        ledger, _ = self.deliver(format="value", events=30000, accounts=3, logstores=4, shards=2, rules=2)
        self.assertEqual(ledger["events"]["stored"], 30000)

    def test_every_column_of_every_generated_event_equals_the_source_as_typed_rows(self):
        ledger, _ = self.deliver(format="typed", events=30000, accounts=3, logstores=4, shards=2, rules=2)
        self.assertEqual(ledger["events"]["stored"], 30000)

    def test_every_made_up_oddity_arrives_unchanged_in_both_formats(self):
        corpus = os.path.join(SOURCE, "tests/data/oddities.ndjson")
        for format in ("value", "typed"):
            with self.subTest(format=format):
                self.deliver(format=format, events=2000, corpus=corpus)

    def test_every_public_sample_arrives_unchanged_in_both_formats(self):
        if not os.path.exists(SAMPLES):
            self.skipTest("the public samples are not here (PENSTOCK_SAMPLES names their file)")
        for format in ("value", "typed"):
            with self.subTest(format=format):
                self.deliver(format=format, events=700, corpus=SAMPLES)

    def test_plain_http_endpoints_work_for_test_clouds(self):
        self.deliver(tls=False, events=3000, accounts=1, logstores=1)

    def test_every_setting_of_compression_and_order_delivers_the_same_rows(self):
        for setting in (("--compression", "small"), ("--compression", "none"), ("--order", "arrival"), ("--cpu-threads", "1"),
                        ("--io-threads", "2"), ("--pull-groups", "1"), ("--batch-bytes", "64KiB"), ("--batch-raw-bytes", "256KiB")):
            with self.subTest(setting=setting), Cloud(events=5000, accounts=2, logstores=2) as cloud:
                self.run_once(cloud, *setting)
                self.assert_all_delivered(cloud.ledger())

    def test_a_second_run_finds_nothing_new_and_doubles_nothing(self):
        with Cloud(events=3000, accounts=2, logstores=2) as cloud:
            self.run_once(cloud)
            run = self.run_once(cloud)
            self.assert_all_delivered(cloud.ledger())
            self.assertEqual(run.summary()["events_in"], 0)

    def test_shards_that_split_while_being_read_are_drained_and_their_children_found(self):
        with Cloud(events=20000, accounts=1, logstores=1, event_rate=10000) as cloud:
            account = cloud.ready["accounts"][0]
            with cloud.penstock() as run:
                self.split(cloud, account)
                from cloud import wait_for
                wait_for(lambda: cloud.ledger()["events"]["delivered_unique"] >= 20000, 100, 0.5)
                self.assertEqual(run.stop(), 0, run.text()[-3000:])
            self.assert_all_delivered(cloud.ledger())

    def split(self, cloud, account):
        cloud.sls(account, "POST", f"/logstores/{account['logstores'][0]}/shards/0", {"action": "split", "shardCount": "2"})

    def test_dry_run_uploads_nothing_and_commits_nothing(self):
        with Cloud(events=2000, accounts=1, logstores=1) as cloud:
            run = self.run_once(cloud, "--dry-run")
            self.assertEqual(run.summary()["events_in"], 2000)
            self.assertEqual(cloud.ledger()["events"]["delivered_unique"], 0)
            self.run_once(cloud)
            self.assert_all_delivered(cloud.ledger())


class Threads(CloudTest):
    """Short, and with every thread there is: for ThreadSanitizer."""

    def test_two_io_threads_and_two_workers_deliver_every_event(self):
        faults = ('[{"role":"ingest","op":"upload","kind":"status","status":503,"count":2},'
                  '{"role":"sls","op":"pull_logs","kind":"reset_before","count":3}]')
        for tls in (True, False):
            with self.subTest(tls=tls), Cloud(tls=tls, events=20000, accounts=3, logstores=3, rules=2, faults=faults) as cloud:
                run = self.run_once(cloud, "--io-threads", "2", "--cpu-threads", "2", "--linger", "100ms", seconds=240)
                self.assert_all_delivered(cloud.ledger())
                self.assertNotIn("ThreadSanitizer", run.text())


if __name__ == "__main__":
    unittest.main()
