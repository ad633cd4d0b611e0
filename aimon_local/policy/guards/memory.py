"""What the guards remember of one caller: bounded, integers and fingerprints alone, changed by ``saw`` and its like.

``saw`` tells of a call that is about to go upstream, ``answered`` of its good answer, ``refused`` and ``failed`` of
other ends, ``spent`` of its cost. Each is a fold over what came before and asks no threshold, so that a stricter one
can't change what is counted. Counting the same calls gives the same counts, whatever a guard did about them.
"""

from collections import OrderedDict, deque
from typing import NamedTuple, TypeVar

from aimon_local.policy.guards.steps import Step

_T = TypeVar("_T")
_NS = 1_000_000_000
_MINUTE = 60 * _NS
_AT_ONCE = 2_000_000  # nanoseconds: calls that are nearer to each other may have been sent at once …
_ONE_STEP = 250_000_000  # nanoseconds: the same prompt counts once in so long
_FIRSTS = 250_000_000  # the same for calls whose clients say that they are first tries
_TWINS = 20  # … but so many of them were not
_HISTORY = 40  # steps in a row that are looked back at
_PROMPTS = 64  # different ones
_THREADS = 16  # conversations at once
_REQUESTS = 64  # refused or failed ones
_LEARNT = 5  # minutes with spend after which there is such a thing as usual
_PART = 5  # a minute weighs a fifth of what was usual before
_AT_MOST = 3  # times the usual that one minute can teach


class _Marks:
    """Steps in a row, of a conversation or of the caller as a whole; a pause begins a new row."""

    __slots__ = ("_marks", "_seen_ns")

    def __init__(self) -> None:
        self._marks: deque[str] = deque(maxlen=_HISTORY)
        self._seen_ns = 0

    def add(self, mark: str, now_ns: int, pause_ns: int) -> None:
        if now_ns - self._seen_ns > pause_ns:
            self._marks.clear()
        self._marks.append(mark)
        self._seen_ns = now_ns

    def run(self) -> int:
        """How often in a row the last step came."""
        marks, count = self._marks, 0
        for mark in reversed(marks):
            if mark != marks[-1]:
                break
            count += 1
        return count

    def cycles(self) -> int:
        """How often the last two steps have taken turns."""
        marks = self._marks
        if len(marks) < 4 or marks[-1] == marks[-2]:
            return 0
        pair, count = (marks[-1], marks[-2]), 0
        for at, mark in enumerate(reversed(marks)):
            if mark != pair[at % 2]:
                break
            count += 1
        return count // 2


class _Thread:
    """One conversation."""

    __slots__ = ("mark", "marks", "result", "same", "seen_ns")

    def __init__(self) -> None:
        self.marks = _Marks()
        self.mark = self.result = ""
        self.same = self.seen_ns = 0


class Counts(NamedTuple):
    """How often in a row, by guard (``model.guards.NAMES``)."""

    repeat: int = 0
    ping_pong: int = 0
    no_progress: int = 0
    growth: int = 0
    velocity: int = 0
    storm: int = 0
    errors: int = 0


class Limits(NamedTuple):
    """What counting needs to know beside the calls themselves."""

    pause_ns: int
    cool_ns: int
    growth_percent: int
    growth_tokens: int
    velocity_floor: int


class Memory:
    """One caller's."""

    __slots__ = (
        *(
            "_answers",
            "_early",
            "_early_ns",
            "_errors",
            "_errors_ns",
            "_fails",
            "_growing",
            "_marks",
            "_minute",
            "_minutes",
        ),
        *("_refused", "_spend", "_steps", "_threads", "_usual"),
    )

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[int, int]] = OrderedDict()  # prompt: times answered, when it came last
        self._growing: OrderedDict[str, tuple[int, str, int]] = OrderedDict()  # family: length, fingerprint, leaps
        self._steps: OrderedDict[str, int] = OrderedDict()  # prompt: times answered when it was last a step
        self._marks = _Marks()
        self._threads: OrderedDict[str, _Thread] = OrderedDict()
        self._refused: OrderedDict[str, tuple[int, int, int]] = OrderedDict()  # request: came, may come again, twins
        self._fails: OrderedDict[str, tuple[int, int]] = (
            OrderedDict()
        )  # request: failures in a row, the last one's time
        self._early = self._early_ns = self._errors = self._errors_ns = 0
        self._minute = self._spend = self._usual = self._minutes = 0

    # ---- what happened

    def saw(self, step: Step, now_ns: int, limits: Limits) -> Counts:
        """A call is about to go upstream: the counts with it."""
        times, last = self._answers.get(step.prompt, (0, 0))
        repeated = times + 1 if times and now_ns - last <= limits.pause_ns else 1
        thread = self._thread(step.thread)
        if self._is_new(step.prompt, times):
            self._marks.add(step.mark, now_ns, limits.pause_ns)
            thread.marks.add(step.mark, now_ns, limits.pause_ns)
            _count_results(thread, step, now_ns, limits)
            self._count_growth(step, limits)
        tools = thread.marks.run() if step.tools else 1  # the same call, the same result, however long the history
        return Counts(
            repeat=max(repeated, tools),
            ping_pong=max(self._marks.cycles(), thread.marks.cycles()),
            no_progress=thread.same,
            growth=self._growing.get(step.family, (0, "", 0))[2],
        )

    def answered(self, prompt: str, request: str, now_ns: int, limits: Limits) -> None:
        """A call that came at ``now_ns`` got a good answer."""
        self._errors = 0
        self._refused.pop(request, None)
        self._fails.pop(request, None)
        if not prompt:
            return
        times, last = self._answers.pop(prompt, (0, 0))
        gap = now_ns - last
        if times and gap < _ONE_STEP:
            now_ns = last  # samples that are drawn at once, and waves of them, are one step
        else:
            times = 1 if gap > limits.pause_ns else times + 1
        _keep(self._answers, prompt, (times, now_ns), _PROMPTS)

    def refused(self, request: str, now_ns: int, due_ns: int, limits: Limits, retries: int | None = None) -> None:
        """A request that came at ``now_ns`` was refused, not to come again before ``due_ns``.

        ``request`` "": it was not read, and is no other one's retry. ``retries``: which try it is, where the client
        says so. Twins that are sent at once are no retries; but a loop around an official client makes each of its
        tries a first one.
        """
        if not request:
            return
        came, due, twins = self._refused.pop(request, (now_ns, 0, 0))
        if now_ns - self._early_ns > limits.cool_ns:
            self._early = 0
        near = now_ns - came < (_AT_ONCE if retries is None else _FIRSTS if retries == 0 else 0)
        if due and now_ns >= due:
            self._early, twins = max(0, self._early - 1), 0
        elif due and near and twins < _TWINS:
            twins += 1
        elif due:
            self._early, self._early_ns = self._early + 1, now_ns
        _keep(self._refused, request, (now_ns, due_ns, twins), _REQUESTS)

    def failed(self, request: str, client: bool, now_ns: int, limits: Limits) -> None:
        """A request ended in an error; ``client``: in one that is the caller's own."""
        if now_ns - self._errors_ns > limits.pause_ns:
            self._errors = 0
        if client:
            self._errors, self._errors_ns = self._errors + 1, now_ns
        if not request:
            return
        times, last = self._fails.pop(request, (0, 0))
        _keep(self._fails, request, (times + 1 if now_ns - last <= limits.pause_ns else 1, now_ns), _REQUESTS)

    def spent(self, cost: int, now_ns: int) -> None:
        """A call that came at ``now_ns`` cost so much, in nano-dollars."""
        self._turn(now_ns)
        self._spend += cost

    # ---- how it stands

    def behaviour(self, now_ns: int, limits: Limits) -> Counts:
        """The counts that need no body."""
        storm = self._early if now_ns - self._early_ns <= limits.cool_ns else 0
        errors = self._errors if now_ns - self._errors_ns <= limits.pause_ns else 0
        again = max((times for times, last in self._fails.values() if now_ns - last <= limits.pause_ns), default=0)
        return Counts(velocity=self._velocity(now_ns, limits), storm=storm, errors=max(errors, again))

    def forgive(self) -> None:
        """There was silence: all counts begin anew; what is usual stays known."""
        usual, minutes = self._usual, self._minutes
        Memory.__init__(self)
        self._usual, self._minutes = usual, minutes

    # ---- parts

    def _is_new(self, prompt: str, answered: int) -> bool:
        """Not a retry, nor a twin that was sent at once: those follow on no answer, and are no steps of their own."""
        if self._steps.pop(prompt, -1) == answered:
            _keep(self._steps, prompt, answered, _PROMPTS)
            return False
        _keep(self._steps, prompt, answered, _PROMPTS)
        return True

    def _count_growth(self, step: Step, limits: Limits) -> None:
        """How often in a row a prompt that begins with all of the one before it was so much longer."""
        length, before, grown = self._growing.pop(step.family, (0, "", 0))
        extends = 0 < length < step.length and step.prefix(length) == before
        leap = extends and step.length * 100 >= length * (100 + limits.growth_percent)
        grown = grown + 1 if leap and step.tokens >= limits.growth_tokens else 0
        _keep(self._growing, step.family, (step.length, step.prefix(step.length), grown), _THREADS)

    def _thread(self, name: str) -> _Thread:
        thread = self._threads.pop(name, None) or _Thread()
        _keep(self._threads, name, thread, _THREADS)
        return thread

    def _turn(self, now_ns: int) -> None:
        """Begin the minute of ``now_ns``: the one before teaches what is usual."""
        minute = now_ns // _MINUTE
        if minute <= self._minute:
            return
        if self._spend:
            known = min(self._spend, _AT_MOST * self._usual) if self._minutes >= _LEARNT else self._spend
            weight = min(self._minutes, _PART - 1)
            self._usual = (self._usual * weight + known) // (weight + 1)
            self._minutes += 1
        self._minute, self._spend = minute, 0

    def _velocity(self, now_ns: int, limits: Limits) -> int:
        """This minute's spend, in times the usual; 0 where nothing is usual yet, or it is too little to matter."""
        self._turn(now_ns)
        if self._minutes < _LEARNT or self._spend < limits.velocity_floor:
            return 0
        return self._spend // max(1, self._usual)


def _count_results(thread: _Thread, step: Step, now_ns: int, limits: Limits) -> None:
    if now_ns - thread.seen_ns > limits.pause_ns or not step.result or step.result != thread.result or step.work:
        thread.same = 0
    thread.same += 1 if step.result and not step.work and step.mark != thread.mark else 0
    thread.result, thread.mark, thread.seen_ns = step.result, step.mark, now_ns


def _keep(table: OrderedDict[str, _T], name: str, value: _T, most: int) -> None:
    """The newest at the end; the oldest goes."""
    table[name] = value
    if len(table) > most:
        table.popitem(last=False)
