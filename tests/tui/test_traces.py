"""Rates and sparklines: sums of the last sixty steps, whatever the order of events."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.tui.traces import EMPTY, STEPS, WINDOWS, Trace, added, of, per_second

TIMES = st.lists(st.tuples(st.integers(10_000, 10_400), st.integers(1, 50)), max_size=60)


@given(TIMES, st.integers(10_000, 10_600), st.sampled_from(list(WINDOWS.values())))
def test_it_is_the_plain_sum(told, now, width):
    trace = Trace(width)
    for second, units in told:
        trace = trace.add(second, units)
    newest = max((second for second, _ in told), default=0)
    end = max(now, newest) // width
    kept = [units for second, units in told if end - STEPS < second // width <= end]
    seen, first = [], 0
    for second, units in told:  # what was too old when it came is let go
        first = max(first, second // width)
        if second // width > first - STEPS:
            seen.append((second, units))
    assert trace.total(max(now, newest)) == sum(u for s, u in seen if end - STEPS < s // width <= end) <= sum(kept)
    assert len(trace.counts) == STEPS


def test_windows():
    traces = added(added(EMPTY, 1000, 30), 1059, 30)
    assert per_second(traces, "1m", 1059) == 1.0
    assert per_second(traces, "1m", 1060) == 0.5
    assert per_second(traces, "1m", 2000) == 0.0
    assert per_second(traces, "1h", 2000) == 60 / 3600
    assert of(traces, "5m").until(1059)[-1] == 30
