"""Sinks: what is ordered gets written, bounded, in order, without holding anybody up."""

import json
import os
import stat

from aimon_local.gateway import sinks as sinks_module
from aimon_local.gateway.batches import SinkFault
from aimon_local.gateway.metrics import Metrics, Node
from aimon_local.gateway.sinks import Sinks
from aimon_local.policy.rule import LogOrder
from tests.support.sinks import Rig


def to_file(path, number, **config):
    return LogOrder("file", {"path": str(path), "reopen": False} | config, {"n": number, "text": "ü\n"})


def written(path):
    return [json.loads(line)["n"] for line in path.read_text().splitlines()]


def test_metrics_are_counted_at_once():
    metrics = Metrics()
    switches = {"status_code_metrics": True, "bandwidth_metrics": False, "latency_metrics": False}
    facts = {"service": "s", "route": "", "consumer": "", "code": 418, "source": "kong"}
    Sinks(metrics, [].append).take(LogOrder("metrics", switches, facts))
    assert 'code="418"' in metrics.render(Node("n", "v", 1, 1, True, 1))


# files --------------------------------------------------------------------------------------------------------------


def test_a_file_gets_one_line_per_entry_in_order(tmp_path):
    rig, path = Rig(), tmp_path / "log"
    path.write_text('{"n": "before"}\n')
    rig.run(*(to_file(path, n) for n in range(1200)))
    assert written(path) == ["before", *range(1200)]
    assert rig.reports == []


def test_a_new_file_has_kongs_mode(tmp_path):
    old = os.umask(0o022)
    try:
        Rig().run(to_file(tmp_path / "log", 1))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o644


def test_a_file_moved_away_is_made_anew(tmp_path):
    rig, path = Rig(), tmp_path / "log"
    rig.run(to_file(path, 1))
    path.rename(tmp_path / "old")
    rig.run(to_file(path, 2))
    assert (written(tmp_path / "old"), written(path)) == ([1], [2])


def test_a_file_that_can_not_be_written_is_reported_once_until_it_can(tmp_path):
    rig, path = Rig(), tmp_path / "no" / "log"
    rig.run(to_file(path, 1))
    rig.run(to_file(path, 2))
    assert len(rig.reports) == 1
    assert isinstance(rig.reports[0], SinkFault)
    assert str(path) in str(rig.reports[0])
    path.parent.mkdir()
    rig.run(to_file(path, 3))
    path.unlink()
    path.parent.rmdir()
    rig.run(to_file(path, 4))
    assert len(rig.reports) == 2


def test_a_slow_file_drops_the_oldest_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(sinks_module, "FILE_PENDING", 3)
    rig, path = Rig(), tmp_path / "log"
    rig.run(*(to_file(path, n) for n in range(5)))
    assert written(path) == [2, 3, 4]
    assert "2 entries" in str(rig.reports[0])
