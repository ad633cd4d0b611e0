"""The pages by name, each of them a module that knows no other. To add one: a line here, and its key in ``keys``."""

from aimon_local.tui.pages.agents import Agents
from aimon_local.tui.pages.lab import Lab
from aimon_local.tui.pages.money import Money
from aimon_local.tui.pages.page import Page
from aimon_local.tui.pages.policy import Policy
from aimon_local.tui.pages.requests import Requests
from aimon_local.tui.pages.scenarios import Scenarios
from aimon_local.tui.pages.tiers import Tiers

PAGES: dict[str, type[Page]] = {
    "tiers": Tiers,
    "requests": Requests,
    "scenarios": Scenarios,
    "agents": Agents,
    "money": Money,
    "policy": Policy,
    "lab": Lab,
}
