"""What a running penstock holds and uses while no event comes."""
import os
import resource
import time

import measured_run

READY_S_MAX = 120


def cpu_s_of(pid):
    """CPU time of all threads, in nanosecond steps. The threads of an idle process do not end."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def rss_bytes_of(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def pulls_of(cloud):
    return cloud.ledger()["requests"].get("sls", {}).get("pull_logs", {}).get("200", 0)


def measure_idle(cloud_module, cloud_options, logstores, seconds, flags=()):
    """Waits until there were two pulls for each logstore on average, then watches for `seconds`."""
    with cloud_module.Cloud(events=0, **cloud_options) as cloud, cloud.penstock(*flags) as run:
        begun = time.monotonic()

        def settled():
            if run.process.poll() is not None:
                raise measured_run.SpoiledRun(f"ended with {run.process.returncode}\n{run.text()[-2000:]}")
            return pulls_of(cloud) >= 2 * logstores

        try:
            cloud_module.wait_for(settled, READY_S_MAX, 0.2)
        except AssertionError:
            raise measured_run.SpoiledRun(f"{logstores} logstores: only {pulls_of(cloud)} pulls in {READY_S_MAX} s") from None
        ready_s = time.monotonic() - begun
        cpu_s, pulls, begun = cpu_s_of(run.process.pid), pulls_of(cloud), time.monotonic()
        time.sleep(seconds)
        cpu_s, pulls, watched_s = cpu_s_of(run.process.pid) - cpu_s, pulls_of(cloud) - pulls, time.monotonic() - begun
        rss_bytes = rss_bytes_of(run.process.pid)
        exit_code = run.stop()
        if exit_code != 0:
            raise measured_run.SpoiledRun(f"exit code {exit_code}\n{run.text()[-2000:]}")
    return {
        "logstores": logstores,
        "two_rounds_s": ready_s,
        "rss_bytes": rss_bytes,
        "cpu_ms_per_s": cpu_s * 1e3 / watched_s,
        "pulls_per_s": pulls / watched_s,
        "cpu_us_per_pull": cpu_s * 1e6 / pulls if pulls else None,
    }


def add_memory_per_logstore(idle):
    """(RSS with N − RSS with 1) / (N − 1); `idle` in the order of N, the first with one logstore."""
    if not idle or idle[0]["logstores"] != 1:
        return
    for one in idle[1:]:
        one["bytes_per_logstore"] = (one["rss_bytes"] - idle[0]["rss_bytes"]) / (one["logstores"] - 1)
