"""When the loop commits itself: a quick disk, and for how long a slow one sends rows to the thread."""

from aimon_local.storage.pace import LONG_REST, REST, ROW, SLOW, STALL, Pace


def test_quick_commits_go_on():
    pace = Pace()
    for second in range(100):
        assert pace.allows(second)
        pace.took(second, second + SLOW / 2)


def test_slow_ones_in_a_row_rest_it_for_a_while():
    pace = Pace()
    for _ in range(ROW - 1):
        pace.took(10 - 2 * SLOW, 10)
        assert pace.allows(10)
    pace.took(10 - 2 * SLOW, 10)
    assert not pace.allows(10)
    assert not pace.allows(10 + REST * 0.99)
    assert pace.allows(10 + REST)


def test_a_quick_one_between_begins_the_row_anew():
    pace = Pace()
    for _ in range(10 * ROW):
        for _ in range(ROW - 1):
            pace.took(0, 2 * SLOW)
        pace.took(0, SLOW / 2)
    assert pace.allows(1)


def test_one_stall_is_enough():
    pace = Pace()
    pace.took(0, STALL)
    assert not pace.allows(STALL + LONG_REST * 0.99)
    assert pace.allows(STALL + LONG_REST)
