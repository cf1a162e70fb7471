"""What counts as a regression. Counts repeat and are judged alone; times must be both far apart and unlikely by chance."""
from bench_statistics import mann_whitney, median

COUNT_WARN = 0.01
COUNT_FAIL = 0.03
TIME_FAIL = 0.05
# Where the linker puts a loop moves it by as much: a row of 1.2 ns went to 1.5 with the same instructions.
TIME_NS_MIN = 1.0
P_MAX = 0.01
# A row with the same instructions runs the same code: what is left of a difference is where the linker put its loops (8 to 19 % were
# measured, of one function at two addresses) or how it meets the caches. The second must not pass unseen, the first not fail.
SAME_CODE = 0.0001
PLACEMENT_MAX = 0.15
# Of a kernel's advantage over its portable twin as recorded, or of the least that makes it worth having elsewhere.
KERNEL_KEPT_MIN = 0.75
KERNEL_ELSEWHERE_MIN = 1.5

FINE, BETTER, WARNING, FAILED = "same", "better", "warning", "FAILED"
ORDER = (FINE, BETTER, WARNING, FAILED)


def decisive(verdicts):
    """What got better shows where nothing got worse, and does not make up for what did."""
    return max(verdicts, key=ORDER.index, default=FINE)


def change(before, after):
    """As a share of before; None when there is no such share."""
    return (after - before) / before if before > 0 else (None if after > 0 else 0.0)


def judge_count(before, after):
    """Instructions or allocations per event. None where it had been nothing: that may not rise at all."""
    share = change(before, after)
    if share is None or share > COUNT_FAIL:
        return FAILED
    if share > COUNT_WARN:
        return WARNING
    return BETTER if share < -COUNT_WARN else FINE


def same_code(counts):
    """Of judged counts: that nothing was changed which this row runs."""
    return bool(counts) and all(part["change"] is not None and abs(part["change"]) < SAME_CODE for part in counts.values())


def judge_times(before, after, same=False):
    """(verdict, change of the median, p). In ns per event. same: the row runs the same code on both sides."""
    share = change(median(before), median(after))
    _, p = mann_whitney(before, after)
    if p >= P_MAX or abs(share) <= TIME_FAIL or abs(median(after) - median(before)) <= TIME_NS_MIN:
        return FINE, share, p
    if same and abs(share) <= PLACEMENT_MAX:
        return (WARNING if share > 0 else FINE), share, p
    return (FAILED if share > 0 else BETTER), share, p


def judge_kernel(before, after):
    """(verdict, change, p) of how many times a kernel is as fast as its twin: there less is worse. The twin's placement is in it; the
    kernel's own time is judged beside it."""
    share = change(median(before), median(after))
    _, p = mann_whitney(before, after)
    if p < P_MAX and abs(share) > PLACEMENT_MAX:
        return (FAILED if share < 0 else BETTER), share, p
    return FINE, share, p


def judge_recorded_kernel(recorded, found, same_processor):
    least = recorded * KERNEL_KEPT_MIN if same_processor else min(KERNEL_ELSEWHERE_MIN, recorded * KERNEL_KEPT_MIN)
    return FAILED if found < least else FINE


def percent(share):
    return "new" if share is None else f"{share * 100:+.2f} %"
