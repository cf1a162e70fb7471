"""The emulated cloud and the program under test, as processes of one test.

Programs are found in PENSTOCK_BIN. Everything talks to loopback only, is bounded in time and ends with the test.
"""
import base64
import email.utils
import hmac
import json
import os
import resource
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

BIN = os.environ.get("PENSTOCK_BIN", os.path.join(os.path.dirname(__file__), "../../build/release/bin"))
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
START_MAX_S = 120


def wait_for(what, seconds, step_s=0.02):
    """Polls `what` until it gives something true; the only waiting there is in these tests."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(step_s)


class Cloud:
    """One emulator: `with Cloud(events=1000) as cloud`."""

    def __init__(self, tls=True, format="value", **options):
        self.folder = tempfile.mkdtemp(prefix="penstock-test-")
        self.config = os.path.join(self.folder, "penstock.yaml")
        ready = os.path.join(self.folder, "ready.json")
        command = [os.path.join(BIN, "penstock-emulator"), "--ready-file", ready, "--write-config", self.config, "--format", format]
        if tls:
            command += ["--tls-dir", os.path.join(self.folder, "tls")]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), value if isinstance(value, str) else json.dumps(value)]
        self.log = open(os.path.join(self.folder, "emulator.log"), "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

        def is_ready():
            if self.process.poll() is not None:
                raise AssertionError("emulator ended: " + open(self.log.name).read())
            return os.path.exists(ready)

        wait_for(is_ready, START_MAX_S)
        with open(ready) as file:
            self.ready = json.load(file)
        self.context = ssl.create_default_context(cafile=self.ready["ca_file"]) if tls else None

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.kill()
        self.process.wait()
        self.log.close()
        if failure == (None, None, None):
            subprocess.run(["rm", "-rf", self.folder], check=False)
        else:
            print("kept for a look:", self.folder)

    def call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.ready["url"] + path, data=data, method="GET" if data is None else "POST")
        with urllib.request.urlopen(request, context=self.context, timeout=300) as answer:
            return json.loads(answer.read())

    def sls(self, account, method, path, query):
        """One signed SLS call without a body (V1, sls-api 2.1)."""
        date = email.utils.formatdate(usegmt=True)
        headers = {"x-log-apiversion": "0.6.0", "x-log-bodyrawsize": "0", "x-log-signaturemethod": "hmac-sha1"}
        resource = path + "?" + "&".join(f"{k}={v}" for k, v in sorted(query.items()))
        text = "\n".join([method, "", "", date, *(f"{k}:{v}" for k, v in sorted(headers.items())), resource])
        digest = hmac.new(account["access_key_secret"].encode(), text.encode(), "sha1").digest()
        headers["Date"] = date
        headers["Authorization"] = f"LOG {account['access_key_id']}:{base64.b64encode(digest).decode()}"
        address = urllib.parse.urlsplit(self.ready["url"])
        headers["Host"] = account["project"] + "." + address.netloc
        url = self.ready["url"] + path + "?" + urllib.parse.urlencode(query)
        request = urllib.request.Request(url, method=method, headers=headers)
        with urllib.request.urlopen(request, context=self.context, timeout=30) as answer:
            return json.loads(answer.read())

    def ledger(self):
        return self.call("/emulator/ledger")

    def faults(self, faults):
        return self.call("/emulator/faults", faults)

    def append(self, **body):
        return self.call("/emulator/append", body)

    def rewrite_config(self, change):
        """change(text) → text: what an operator would have typed differently."""
        text = open(self.config).read()
        open(self.config, "w").write(change(text))

    def penstock(self, *arguments, **options):
        return Penstock(self, arguments, **options)


class Penstock:
    """One run of the program; its log and exit code."""

    def __init__(self, cloud, arguments, file_bytes_max=None, inside=()):
        self.cloud = cloud
        self.summary_file = os.path.join(cloud.folder, "summary.json")
        self.log_file = os.path.join(cloud.folder, "penstock.log")
        self.log = open(self.log_file, "ab")
        command = [*inside, os.path.join(BIN, "penstock"), "run", "--config", cloud.config, "--summary", self.summary_file,
                   "--admin-listen", "off", *arguments]

        def limit():
            if file_bytes_max is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))

        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, preexec_fn=limit)
        self.peak_rss_bytes = 0

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def wait(self, seconds=120):
        return self.process.wait(timeout=seconds)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=60):
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def text(self):
        return open(self.log_file, errors="replace").read()

    def summary(self):
        return json.load(open(self.summary_file))

    def sample_memory(self, interval_s=0.02):
        """Reads the resident size from outside until the process ends."""

        def watch():
            while self.process.poll() is None:
                try:
                    with open(f"/proc/{self.process.pid}/statm") as f:
                        self.peak_rss_bytes = max(self.peak_rss_bytes, int(f.read().split()[1]) * resource.getpagesize())
                except (OSError, IndexError):
                    return
                time.sleep(interval_s)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        return thread


class CloudTest(unittest.TestCase):
    def figure(self, text):
        """What was measured, on a line of its own: tools/check shows these."""
        print(f"\nfigure: {text}", flush=True)

    def assert_all_delivered(self, ledger, duplicates_max=0):
        events = ledger["events"]
        self.assertEqual(
            {k: events[k] for k in ("missing", "altered", "unknown")}, {"missing": 0, "altered": 0, "unknown": 0}, ledger["events"]
        )
        self.assertEqual(events["delivered_unique"], events["stored"])
        self.assertLessEqual(events["duplicates"], duplicates_max)

    def run_once(self, cloud, *arguments, exit_code=0, seconds=120):
        with cloud.penstock("--once", *arguments) as run:
            got = run.wait(seconds)
            self.assertEqual(got, exit_code, run.text()[-4000:])
            return run
