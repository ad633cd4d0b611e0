"""One timer for many deadlines."""

from aimon_local.wire.deadlines import NEVER, Deadlines


class Member:
    def __init__(self, deadline: float, again: float = NEVER) -> None:
        self.deadline = deadline
        self.again = again
        self.fired: list[float] = []

    def on_deadline(self, now: float) -> None:
        self.fired.append(now)
        self.deadline = self.again


def test_each_fires_at_its_own_time(time):
    deadlines = Deadlines(time)
    soon, late, never = Member(1001.0), Member(1005.0), Member(NEVER)
    for member in (late, soon, never):
        deadlines.add(member)
    time.advance(2)
    assert (len(soon.fired), len(late.fired)) == (1, 0)
    time.advance(4)
    assert (len(soon.fired), len(late.fired), len(never.fired)) == (1, 1, 0)


def test_a_deadline_that_moved_on_does_not_fire(time):
    deadlines = Deadlines(time)
    member = Member(1001.0)
    deadlines.add(member)
    member.deadline = 1010.0
    time.advance(5)
    assert member.fired == []
    time.advance(6)
    assert len(member.fired) == 1


def test_an_earlier_deadline_is_noted(time):
    deadlines = Deadlines(time)
    member = Member(1100.0)
    deadlines.add(member)
    member.deadline = 1001.0
    deadlines.note(1001.0)
    time.advance(2)
    assert len(member.fired) == 1


def test_a_member_may_go_on(time):
    deadlines = Deadlines(time)
    member = Member(1001.0, again=1003.0)
    deadlines.add(member)
    time.advance(2.5)
    member.again = NEVER
    time.advance(2)
    assert len(member.fired) == 2


def test_the_forgotten_do_not_fire(time):
    deadlines = Deadlines(time)
    member = Member(1001.0)
    deadlines.add(member)
    deadlines.discard(member)
    time.advance(5)
    assert member.fired == []
    deadlines.add(member)
    deadlines.close()
    time.advance(5)
    assert member.fired == []


def test_a_failing_member_takes_nobody_along(time, caplog):
    deadlines = Deadlines(time)
    bad, good = Member(1001.0), Member(1002.0)
    bad.on_deadline = lambda now: 1 / 0
    deadlines.add(bad)
    deadlines.add(good)
    bad.again = NEVER
    time.advance(1.5)
    bad.deadline = NEVER
    time.advance(2)
    assert len(good.fired) == 1
    assert caplog.records
