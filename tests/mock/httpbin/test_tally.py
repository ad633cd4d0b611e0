"""The count of what was served."""

import json

from aimon_local.mock.httpbin.ask import World
from aimon_local.mock.httpbin.tally import OTHERS, PATHS_MAX, Tally
from tests.support.asks import ask


def test_stats_count_by_path_and_status_and_can_start_anew():
    world = World()
    for target in ("/get", "/get?a=1", "/nope", "/status/500"):
        ask(target, world=world)
    ask("/get", "POST", world=world)
    expected = {"/get": {"200": 2, "405": 1}, "/nope": {"404": 1}, "/status/500": {"500": 1}}
    assert json.loads(ask("/_mock/stats", world=world).body) == {"requests": 5, "paths": expected}
    assert ask("/_mock/stats", "DELETE", world=world).status == 204
    assert json.loads(ask("/_mock/stats", world=world).body) == {"requests": 0, "paths": {}}


def test_stats_stay_small_under_a_scan():
    tally = Tally()
    for number in range(PATHS_MAX + 5):
        tally.count(f"/{number}", 404)
    paths = tally.report()["paths"]
    assert len(paths) == PATHS_MAX + 1
    assert paths[OTHERS] == {"404": 5}
