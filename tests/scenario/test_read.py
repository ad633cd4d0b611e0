"""Scripts are read whole, and what is wrong is said with file, line, key and the nearest valid one."""

import pytest

from aimon_local.errors import ConfigError
from aimon_local.scenario.amounts import Draw
from aimon_local.scenario.read import load, parse
from aimon_local.scenario.shipped import scripts
from tests.scenario.cases import HEAD

WHOLE = """
name = "all"
about = "everything that can be said"
seed = 7
clock = "2026-12-31T23:59:50Z"
mock = { ttft_ms = 1 }

[tiers.free]
limits = [{ unit = "requests", amount = 5, period = "day" }]

[[plugins]]
name = "rate-limiting"
on = "actor:one"
config = { minute = 5 }

[actors.one]
executor = "ramping-arrival-rate"
stages = [{ target = "10/s", duration = "1m" }]
tier = "free"
data = [{ city = "Pune" }, { city = "Ulm" }]

[[actors.one.steps]]
name = "ask"
model = "m"
prompt_tokens = { uniform = [10, 20] }
mock = { usage = "lying", malformed = true }
spawn = { step = "child", count = 3, levels = 2 }
expect = { status = [200, "4xx"], reason = "none", headers = { X-A = "b" }, absent = "X-C" }

[[actors.one.steps]]
name = "child"
path = "/get"
only_spawned = true

[actors.two]
executor = "replay"
after = "jump"
calls = [{ at = "2s", path = "/b" }, { at = 1, path = "/a" }]

[[events]]
name = "jump"
at = "1s"
do = "clock.jump"
to = "2027-01-01T00:00:00Z"
phase = "after"

[thresholds]
"requests{actor:one,status:4xx}" = ["count<5", "rate>=0.5"]

[[assert]]
order = [{ actor = "one" }, { event = "jump" }]
"""


def test_a_whole_script():
    script = parse(WHOLE, "all.toml")
    assert (script.name, script.seed, script.clock) == ("all", 7, "2026-12-31T23:59:50Z")
    one, two = script.actors
    assert one.stages[0].target == 10
    assert one.data[1] == {"city": "Ulm"}
    ask = one.steps[0]
    assert ask.path == "/v1/chat/completions"
    assert ask.prompt_tokens == Draw("uniform", (10, 20))
    assert ("X-Mock-malformed", "true") in ask.headers
    assert ask.expect.status == ("200", "4xx")
    assert ask.expect.reason == ("",)
    assert [call.step.path for call in two.calls] == ["/a", "/b"]
    assert script.events[0].values == {"to": "2027-01-01T00:00:00Z"}
    assert [each.word for each in script.thresholds] == ["count", "rate"]
    assert script.offers[0][1]["name"] == "free"


@pytest.mark.parametrize(
    ("old", "new", "said", "hint"),
    [
        ('executor = "ramping', 'exekutor = "ramping', "all.toml:17: unknown key 'exekutor'", "executor"),
        ("ramping-arrival-rate", "ramping-arival-rate", "all.toml:17: executor", "ramping-arrival-rate"),
        ("stages = [", "# [", "all.toml:16: [actors.one] is ramping-arrival-rate and needs 'stages'", "stages ="),
        ('duration = "1m"', 'duration = "1x"', "all.toml:18: duration in [actors.one.stages[1]] must be", ""),
        ('name = "ask"', 'nmae = "ask"', "all.toml:23: unknown key 'nmae'", "name"),
        ("uniform", "unifrom", "all.toml:25: prompt_tokens", ""),
        ('step = "child"', 'step = "chlid"', "all.toml:27: no step is named 'chlid'", "child"),
        ("status = [200", "staus = [200", "all.toml:28: unknown key 'staus'", "status"),
        ('"clock.jump"', '"clock.jmup"', "all.toml:43: do", "clock.jump"),
        ('to = "2027', 'too = "2027', "all.toml:40: clock.jump needs 'to'", "to ="),
        ('after = "jump"', 'after = "jmp"', "all.toml:37: after: there is no other 'jmp'", "jump"),
        ("requests{actor", "reqests{actor", "all.toml:48: reqests", ""),
        ("actor:one,status", "aktor:one,status", "all.toml:48: requests{aktor", ""),
        ("count<5", "cuont<5", "all.toml:48", ""),
        ("[{ actor = ", "[{ aktor = ", "all.toml:51: unknown tag 'aktor'", "actor"),
        ("[[assert]]", "[[asert]]", "all.toml:50: unknown key 'asert'", "assert"),
        ('unit = "requests"', 'unti = "requests"', "unknown key 'unti'", "unit"),
        ('clock = "2026-12-31T23:59:50Z"', 'clock = "tomorrow"', "all.toml:5: clock must be a time", ""),
    ],
)
def test_what_is_wrong_is_said(old, new, said, hint):
    assert old in WHOLE
    with pytest.raises(ConfigError) as fault:
        parse(WHOLE.replace(old, new, 1), "all.toml")
    assert said in str(fault.value)
    assert hint in f"{fault.value} {fault.value.hint}"


def test_what_waits_in_a_circle():
    text = HEAD + '[actors.b]\nafter = "c"\n[[actors.b.steps]]\n[actors.c]\nafter = "b"\n[[actors.c.steps]]\n'
    with pytest.raises(ConfigError, match="wait for each other: b, c"):
        parse(text)


@pytest.mark.parametrize("text", ["", "seed = 1", "actors = 1", "x = [", "[actors.a]\n"])
def test_what_is_no_script(text):
    with pytest.raises(ConfigError):
        parse(text)


def test_files_beside_the_script(tmp_path):
    (tmp_path / "cities.csv").write_text("city,size\nPune,3\nUlm,1\n")
    path = tmp_path / "s.toml"
    path.write_text(HEAD.replace("iterations", 'data = "cities.csv"\niterations'))
    assert load(path).actors[0].data == ({"city": "Pune", "size": "3"}, {"city": "Ulm", "size": "1"})
    path.write_text(HEAD.replace("iterations", 'data = "../elsewhere.csv"\niterations'))
    with pytest.raises(ConfigError, match="not beside"):
        load(path)


@pytest.mark.parametrize("path", scripts(), ids=lambda path: path.stem)
def test_the_shipped_scripts(path):
    script = load(path)
    assert script.about, "each says what it teaches"
    assert path.read_text().startswith("#")
    assert script.thresholds
