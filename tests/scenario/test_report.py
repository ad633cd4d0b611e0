"""Reports say what was judged; traffic text is data in each of their forms; progress is drawn on a terminal, or told."""

import io
import json
import xml.etree.ElementTree as ET

import pytest

from aimon_local.cli.run_progress import bar, shown
from aimon_local.scenario.facts import Evidence, Mark
from aimon_local.scenario.play import Outcome
from aimon_local.scenario.progress import ActorProgress, Progress
from aimon_local.scenario.report import document, junit, number, span, text
from aimon_local.scenario.verdict import judge
from tests.scenario.cases import HEAD, fact, row, script

SCRIPT = script(
    'about = "x"\n' + HEAD + '[thresholds]\n"requests" = ["count==2", "count<1"]\n"charge" = "sum==0.000002"\n'
)
EVIDENCE = Evidence(
    (
        fact(actor="\x1b[2Jevil<&>", row=row(charge=2000, cost=1000, input=3)),
        fact(status=429, row=row("deny", "no_key")),
    ),
    (Mark("later", "phase", 1.0),),
    {"requests": 1.0},
    2.0,
)
OUTCOME = Outcome(SCRIPT, 7, EVIDENCE, judge(SCRIPT, EVIDENCE), ("a route stays",))


def test_text():
    report = text(OUTCOME)
    assert "✓ requests count==2   2" in report
    assert "✗ requests count<1   2" in report
    assert "✓ charge sum==0.000002   $0.000002" in report
    assert "denied 1: no_key" in report
    assert "not cleaned up: a route stays" in report
    assert "failed: 2 of 3 hold, seed 7, 2.0 s" in report
    assert "\x1b" not in report


def test_json():
    found = json.loads(json.dumps(document(OUTCOME)))
    assert found["passed"] is False
    assert [each["holds"] for each in found["checks"]] == [True, False, True]
    assert found["totals"]["by_reason"] == {"no_key": 1}
    assert found["totals"]["margin"] == pytest.approx(0.000001)
    assert found["events"][0]["name"] == "later"


def test_junit_is_xml_whatever_was_said():
    broken = Outcome(SCRIPT, 1, EVIDENCE, judge(SCRIPT, Evidence(EVIDENCE.facts, (Mark("e", "x", 0, "\x00<&>\ud800"),), interrupted=True)))  # fmt: skip
    suite = ET.fromstring(junit([broken]).encode()).find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("5", "3")
    assert suite.findall(".//failure")[1].get("message") == "<&>"


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1.0, "", "1"),
        (0.25, "", "0.25"),
        (1e20, "", "1e+20"),
        (-0.5, "$", "-$0.5"),
        (0.0, "$", "$0"),
        (12.3456, "ms", "12.35 ms"),
    ],
)
def test_numbers(value, unit, said):
    assert number(value, unit) == said


def test_spans():
    assert [span(s) for s in (1.25, 600, 86400)] == ["1.2 s", "10.0 min", "24.0 h"]


def progress(done, over=False):
    return Progress("case", 3.0, (ActorProgress("a", 10, done, done, done, 1, 2, {"429": 3}, over),))


def test_a_bar():
    line = bar(progress(5).actors[0])
    assert "[============            ] 5/10" in line
    assert "429: 3" in line
    assert "late: 2" in line


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_bars_and_they_go():
    out = Terminal()
    with shown(SCRIPT, out) as show:
        show(progress(1))
        show(progress(10, True))
    assert out.getvalue().endswith("\x1b[1A\x1b[J")
    assert "10/10" in out.getvalue()


def test_a_file_gets_no_bars():
    out = io.StringIO()
    with shown(SCRIPT, out) as show:
        show(progress(1))
    assert "\x1b" not in out.getvalue()
