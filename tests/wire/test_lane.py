"""Which idle connection is used, kept and closed."""

from aimon_local.wire.lane import Lane


class Line:
    def __init__(self, usable: bool = True) -> None:
        self.usable = usable


def test_the_newest_is_used_first_and_dead_ones_are_passed_over():
    lane, old, dead = Lane(5), Line(), Line()
    lane.give(old)
    lane.give(dead)
    dead.usable = False
    assert lane.take() is old
    assert lane.take() is None


def test_there_are_never_more_than_the_bound_and_the_oldest_goes():
    lane = Lane(2)
    first, second, third = Line(), Line(), Line()
    assert lane.give(first) is None
    assert lane.give(second) is None
    assert lane.give(third) is first
    assert len(lane) == 2


def test_forgetting_and_clearing():
    lane, one, other = Lane(5), Line(), Line()
    lane.give(one)
    lane.forget(one)
    lane.forget(other)
    assert lane.take() is None
    lane.give(one)
    assert lane.clear() == [one]
    assert len(lane) == 0
