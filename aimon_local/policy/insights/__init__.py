"""Questions of the business that the ledger answers: pure folds of its rows, one module each, in one table.

To add one: a module with ``INSIGHT`` (a fold of ``facts.Facts`` into rows, its columns, and its method in words, which
goes out with each answer), a line in ``INSIGHTS``, and its golden answer in tests/policy/insights.
"""

from collections.abc import Mapping

from aimon_local.policy.insights import adoption, conversion, denied, forecast, products, sla, tiers, unusual
from aimon_local.policy.insights.facts import Insight

INSIGHTS: Mapping[str, Insight] = {
    "sla": sla.INSIGHT,
    "forecast": forecast.INSIGHT,
    "unusual": unusual.INSIGHT,
    "tiers": tiers.INSIGHT,
    "conversion": conversion.INSIGHT,
    "adoption": adoption.INSIGHT,
    "products": products.INSIGHT,
    "denied": denied.INSIGHT,
}
