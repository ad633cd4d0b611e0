"""A request of the ledger in OpenTelemetry's words: spans and measurements as plain values, without its SDK. Pure.

``spans`` says what a trace is told, ``measures`` what is measured; names are those of the semantic conventions: HTTP as
they are stable, generative AI as they stand in development. What no convention names begins with ``aimon.``.
"""

from aimon_local.exports.otel.measures import MEASURES, Measure, Point, points
from aimon_local.exports.otel.spans import Place, Span, spans

__all__ = ["MEASURES", "Measure", "Place", "Point", "Span", "points", "spans"]
