"""A month's bill taken apart: what each component, each of its steps and the markup bring. Integers, nano-dollars.

The parts add up to ``PricePlan.usage_charge`` of the month's totals, by the same rounding: once per component, upwards.
A step's amount is what the component's charge grows by within the step, so steps add up to it as well.
"""

from dataclasses import dataclass

from aimon_local.policy.pricing import Component, PricePlan, Step, Totals


@dataclass(frozen=True, slots=True)
class StepLine:
    """The units that fell into one step. ``begin``: units behind the included ones at which it begins."""

    step: Step
    begin: int
    units: int
    amount: int


@dataclass(frozen=True, slots=True)
class ComponentLine:
    """What a component counted and brings."""

    component: Component
    units: int
    overage: int  # units behind the included ones
    steps: tuple[StepLine, ...]
    amount: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """All parts of a month's usage charge."""

    components: tuple[ComponentLine, ...]
    markup: int

    @property
    def amount(self) -> int:
        """Their sum."""
        return sum(line.amount for line in self.components) + self.markup


def breakdown(plan: PricePlan, totals: Totals) -> Breakdown:
    """The parts of what a month's totals cost under a plan, beside the fee."""
    components = tuple(_component(each, totals) for each in plan.components)
    return Breakdown(components, -(-totals.cost * plan.markup // 10_000))


def _component(component: Component, totals: Totals) -> ComponentLine:
    units = component.units(totals)
    overage = max(0, units - component.included)
    lines, begin, numerator = [], 0, 0
    for step in component.steps:
        size = overage - begin if step.up_to is None else min(overage, step.up_to) - begin
        size = max(0, size)
        before, numerator = numerator, numerator + size * step.price
        lines.append(StepLine(step, begin, size, -(-numerator // component.per) - -(-before // component.per)))
        begin = begin + size if step.up_to is None else step.up_to
    return ComponentLine(component, units, overage, tuple(lines), -(-numerator // component.per))
