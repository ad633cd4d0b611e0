"""The README's pictures, from a fixed scene: ``python -m tests.tui.screenshots`` writes them under .github/screens."""

import asyncio
from pathlib import Path

from tests.tui.made import consumer, event, limit, snapshot, tier
from tests.tui.stage import NOW, press, stage
from tests.tui.test_app import answers

FOLDER = Path(__file__).resolve().parents[2] / ".github" / "screens"
WAYS = {
    "tiers": (),
    "requests": ("2",),
    "request": ("2", "up", "enter"),
    "consumer": ("down", "down", "enter", "enter"),
}


def scene() -> tuple[dict[str, object], list[tuple[int, str, dict[str, object]]]]:
    """A minute of a free, a pro and an agent tier."""
    limits = [
        limit("requests/day", 100, 92),
        limit("tokens/minute", 20_000, 13_500, 1_100),
        limit("cost/month", 5 * 10**8, 9 * 10**7),
    ]
    pro = [
        limit("requests/day", 5000, 812),
        limit("tokens/minute", 500_000, 61_000, 9_000),
        limit("cost/month", 10**11, 2 * 10**10),
    ]
    document = snapshot(
        number=10, at=NOW,
        tiers=[tier("agent", 3), tier("enterprise", 2), tier("free", 41), tier("pro", 12)],
        consumers=[consumer("ann", "free", limits), consumer("acme", "pro", pro), consumer("crawler", "agent", [])],
    )  # fmt: skip
    people = (
        ("acme", "pro", "gpt-4o"),
        ("ann", "free", "gpt-4o-mini"),
        ("acme", "pro", "claude-sonnet-4-5"),
        ("crawler", "agent", "gpt-4o-mini"),
    )
    told = []
    for at in range(240):
        who, plan, model = people[(at * 7) % 4]
        reason = (
            {5: "request_limit", 11: "model_not_allowed", 17: "token_limit"}.get(at % 23) if who != "acme" else None
        )
        told.append((11 + at, "request", event(
            at_ns=NOW - (240 - at) * 250_000_000 + (at % 5) * 10**7, consumer=who, tier=plan, deny_reason=reason, model=model,
            tokens=200 + 37 * (at % 40), cost=10**6 * (1 + at % 9), request_id=f"{at:032x}",
        )))  # fmt: skip
    return document, told


async def make() -> None:
    """Each picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, ways in WAYS.items():
        async with stage((120, 34), admin=answers(), data=scene()) as (app, pilot):
            await press(app, pilot, *ways)
            app.save_screenshot(f"{name}.svg", str(FOLDER))


if __name__ == "__main__":
    asyncio.run(make())
