"""Laws of the fair queue: bounded, in order within a tier, by weight between tiers, nobody starves."""

from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.policy.queueing import NO_TIER, FairQueue, Lane, Stand

S = 1_000_000_000
FREE, PRO = Lane("free", 1), Lane("pro", 8)


class Service:
    """A service that is asked, and whose calls end after a time of their own: a small event-driven model."""

    def __init__(self, bound, most=10_000):
        self.queue, self.now, self.time = FairQueue(bound, most), 0, {}
        self.running, self.served, self.lengths = [], [], {}

    def ask(self, lane, length):
        place = self.queue.ask(lane, self.now)
        if place is not None:
            self.lengths[place] = length
            if place.stand is Stand.HOLDS:
                self._run(place)
        return place

    def _run(self, place):
        self.running.append((self.now + self.lengths[place], len(self.served), place))
        self.served.append(place)

    def step(self):
        """Let the next call end, and whoever's turn it is begin."""
        end = min(self.running, key=lambda each: each[:2])
        self.running.remove(end)
        self.now, _, place = end
        name = place.flow.lane.name
        self.time[name] = self.time.get(name, 0) + self.lengths[place]
        self.queue.leave(place, self.now)
        while (following := self.queue.next(self.now)) is not None:
            self._run(following)


class Backlog(Service):
    """All lanes always have calls waiting; ``lengths`` says how long those of each take."""

    def __init__(self, bound, lanes):
        super().__init__(bound)
        for _ in range(bound):
            self.ask(NO_TIER, S)
        for lane, length in lanes.items():
            for _ in range(400):
                self.ask(lane, length)


def test_without_a_wait_there_is_no_queue():
    queue = FairQueue(2, 5)
    first, second, third = (queue.ask(FREE, 0) for _ in range(3))
    assert [each.stand for each in (first, second, third)] == [Stand.HOLDS, Stand.HOLDS, Stand.WAITS]
    assert queue.next(1) is None
    queue.leave(first, 1)
    assert queue.next(1) is third
    assert (queue.in_flight, queue.waiting) == (2, 0)


def test_a_slot_comes_back_once():
    queue = FairQueue(1, 5)
    held, waits = queue.ask(FREE, 0), queue.ask(FREE, 0)
    for _ in range(3):
        queue.leave(waits, 1)
        queue.leave(held, 1)
    assert (queue.in_flight, queue.waiting, queue.next(1)) == (0, 0, None)


def test_each_tier_has_a_bounded_queue_of_its_own():
    queue = FairQueue(1, 2)
    queue.ask(FREE, 0)
    assert [queue.ask(FREE, 0) is None for _ in range(4)] == [False, False, True, True]
    assert queue.ask(PRO, 0).stand is Stand.WAITS


def test_whoever_comes_new_goes_before_a_flood_of_less_weight():
    queue = FairQueue(1, 1000)
    held = queue.ask(FREE, 0)
    for _ in range(500):
        queue.ask(FREE, 0)
    pro = queue.ask(PRO, 5)
    queue.leave(held, S)
    assert queue.next(S) is pro


def test_a_tier_that_had_an_idle_service_for_itself_owes_nothing():
    service = Service(4)
    for _ in range(50):
        service.ask(FREE, 60 * S)
        service.step() if len(service.running) == 4 else None
    for _ in range(200):
        service.ask(FREE, S)
        service.ask(PRO, S)
    while len(service.served) < 150:
        service.step()
    names = [place.flow.lane.name for place in service.served[54:150]]
    assert names.count("free") >= 96 // 9 - 2


def test_a_wait_is_told_by_what_calls_take():
    queue = FairQueue(2, 10)
    held = [queue.ask(PRO, 0) for _ in range(2)]
    queue.leave(held[0], 4 * S)
    queue.ask(PRO, 4 * S)
    assert queue.wait_of(PRO) == 2 * S
    queue.ask(PRO, 4 * S)
    assert queue.wait_of(PRO) == 4 * S
    queue.ask(FREE, 4 * S)
    assert queue.wait_of(PRO) == 4 * S * 9 // 8


def test_a_bound_may_fall_and_rise_while_calls_run():
    queue = FairQueue(3, 10)
    held = [queue.ask(FREE, 0) for _ in range(3)]
    waits = queue.ask(FREE, 0)
    queue.bound = 1
    queue.leave(held[0], 1)
    queue.leave(held[1], 1)
    assert queue.next(1) is None
    queue.bound = None
    assert queue.next(1) is waits
    assert queue.ask(FREE, 1).stand is Stand.HOLDS


def test_a_weight_of_its_own_is_a_queue_of_its_own():
    queue = FairQueue(1, 1)
    held = queue.ask(FREE, 0)
    assert queue.ask(FREE, 0).stand is Stand.WAITS
    deal = queue.ask(Lane("free", 50), 0)
    assert queue.tiers() == {"free": 2}
    queue.leave(held, S)
    assert queue.next(S) is deal


def test_tiers_that_are_long_gone_are_forgotten():
    queue = FairQueue(1, 10)
    queue.ask(FREE, 0)
    waits = queue.ask(PRO, 0)
    for number in range(5000):
        queue.leave(queue.ask(Lane(f"t{number}"), 0), 0)
    assert len(queue._flows) <= 1001
    assert waits in queue._flows[PRO.key].queue


LANES = st.lists(st.integers(1, 20), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(weights=LANES, data=st.data(), bound=st.integers(1, 6))
def test_slot_time_follows_the_weights_whatever_calls_take(weights, data, bound):
    lanes = {Lane(f"t{at}", weight): data.draw(st.integers(S // 100, S)) for at, weight in enumerate(weights)}
    service = Backlog(bound, lanes)
    while all(flow.queue for flow in service.queue._flows.values() if flow.lane.name) and len(service.served) < 600:
        service.step()
    shares = [service.time.get(lane.name, 0) / lane.weight for lane in lanes]
    slack = max(2 * (bound + 1) * S / lane.weight for lane in lanes)
    assert max(shares) - min(shares) <= slack


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["free", "pro", "agent", "end"]), max_size=150), st.integers(1, 4), st.integers(1, 9))
def test_bounded_in_order_and_work_conserving(steps, bound, most):
    service = Service(bound, most)
    weights, asked = {"free": 1, "pro": 8, "agent": 2}, {}
    for step in steps:
        if step == "end":
            service.step() if service.running else None
        else:
            place = service.ask(Lane(step, weights[step]), S)
            if place is not None:
                asked.setdefault(step, []).append(place)
        queue = service.queue
        assert queue.in_flight == len(service.running) <= bound
        assert not queue.waiting or queue.in_flight == bound
        assert all(len(flow.queue) <= most for flow in queue._flows.values())
        assert queue.waiting == sum(len(flow.queue) for flow in queue._flows.values())
    while service.running:
        service.step()
    for name, places in asked.items():
        assert [each for each in service.served if each.flow.lane.name == name] == places


@settings(max_examples=40, deadline=None)
@given(weight=st.integers(1, 1000), heavy=st.integers(1, 1000), length=st.integers(1, S))
def test_nobody_starves(weight, heavy, length):
    """A call of the least tier is served after no more than its share of the others' time."""
    service = Service(1)
    service.ask(Lane("heavy", heavy), length)
    for _ in range(20):
        service.ask(Lane("heavy", heavy), length)
    poor = service.ask(Lane("poor", weight), length)
    for _ in range(heavy // weight + 22):
        service.ask(Lane("heavy", heavy), length)
        service.step()
        if poor.stand is not Stand.WAITS:
            return
    raise AssertionError("it still waits")
