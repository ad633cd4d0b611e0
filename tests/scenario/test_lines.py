import pytest

from aimon_local.scenario.lines import line_of

TEXT = '''name = "x"
about = """
[not.a.heading]
key = 1
"""
[actors.free]
rate = 1
"quoted key" = 2

[[actors.free.steps]]
path = "/a"

[[actors.free.steps]]
path = "/b"
expect = { status = 200, hedaers = { x = "y" } }

[actors.free.steps.spawn]
step = "s"

[thresholds]
"requests{actor:free}" = "count==1"
stages = [
  { target = 1 },
  { tarjet = 2 },
]
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 1),
        (("actors", "free"), 6),
        (("actors", "free", "rate"), 7),
        (("actors", "free", "quoted key"), 8),
        (("actors", "free", "steps", 0, "path"), 11),
        (("actors", "free", "steps", 1), 13),
        (("actors", "free", "steps", 1, "path"), 14),
        (("actors", "free", "steps", 1, "expect", "hedaers"), 15),
        (("actors", "free", "steps", 1, "spawn", "step"), 18),
        (("thresholds", "requests{actor:free}"), 21),
        (("thresholds", "stages", 1, "tarjet"), 24),
        (("actors", "free", "missing"), 6),
        (("nothing",), None),
    ],
)
def test_lines(path, line):
    assert line_of(TEXT, path) == line
