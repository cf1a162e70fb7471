"""The little statistics that a comparison of noisy times needs."""
import math


def median(values):
    return quantile(values, 0.5)


def quantile(values, share):
    """Linear between the two nearest of the sorted values."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def ranks(values):
    """1 for the least; equal values share the mean of their places. And the sizes of the groups of equal values."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    ties = []
    begin = 0
    while begin < len(order):
        end = begin
        while end < len(order) and values[order[end]] == values[order[begin]]:
            end += 1
        for place in range(begin, end):
            found[order[place]] = (begin + 1 + end) / 2
        ties.append(end - begin)
        begin = end
    return found, ties


def mann_whitney(first, second):
    """(U of `first`, p): how likely medians so far apart are when nothing changed. Two-sided; normal approximation with
    corrections for ties and continuity, good from about eight values on each side."""
    n, m = len(first), len(second)
    if n == 0 or m == 0:
        raise ValueError("a side without values")
    found, ties = ranks(list(first) + list(second))
    u = sum(found[:n]) - n * (n + 1) / 2
    both = n + m
    tied = sum(t**3 - t for t in ties) / (both * (both - 1))
    variance = n * m / 12 * (both + 1 - tied)
    if variance <= 0:
        return u, 1.0  # all are equal
    z = max(0.0, abs(u - n * m / 2) - 0.5) / math.sqrt(variance)
    return u, math.erfc(z / math.sqrt(2))
