"""Threshold lines, in k6's words: ``"requests{actor:free,status:429}" = "count==1"``. Read here, judged in ``verdict``.

To add a metric: a line in ``metrics.METRICS``; to add an aggregation: one in ``metrics.WORDS``. Pure.
"""

import re

from aimon_local.scenario.metrics import METRICS, TAGS, WORDS
from aimon_local.scenario.script import Threshold

_NAME = re.compile(r"([a-z0-9_]+)(?:\{([^{}]*)\})?")
_RULE = re.compile(r"(?:(p)\((\d+(?:\.\d+)?)\)|([a-z]+))\s*(<=|>=|==|!=|<|>)\s*(-?\d+(?:\.\d+)?)")


def read_threshold(name: str, rule: str) -> Threshold:
    """One threshold; ValueError says what would be right."""
    metric, tags = read_name(name)
    found = _RULE.fullmatch(rule.strip())
    if found is None:
        raise ValueError(f"{rule!r} is no rule: write such as count==5, rate<0.01, p(95)<200, sum==0")
    word = found[1] or found[3]
    allowed = METRICS[metric].words
    if word not in allowed:
        known = ", ".join("p(N)" if each == "p" else each for each in WORDS if each in allowed)
        raise ValueError(f"{metric} has no {word!r}; it has: {known}")
    quantile = float(found[2]) / 100 if found[2] else 0.0
    return Threshold(metric, tags, word, quantile, found[4], float(found[5]), f"{name} {rule.strip()}")


def read_name(name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A metric with its tags; ValueError: there is no such metric or tag."""
    found = _NAME.fullmatch(name.replace(" ", ""))
    if found is None or found[1] not in METRICS:
        raise ValueError(f"is no metric; the metrics are: {', '.join(METRICS)}")
    tags = []
    for part in filter(None, (found[2] or "").split(",")):
        tag, colon, value = part.partition(":")
        if tag not in TAGS or not colon:
            raise ValueError(f"{part!r} is no tag; write TAG:VALUE, where TAG is one of: {', '.join(TAGS)}")
        tags.append((tag, value))
    return found[1], tuple(tags)
