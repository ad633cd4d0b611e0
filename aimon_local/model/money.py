"""Money: integer nano-dollars, so that sums are exact and a micro-cent token still counts.

``usd`` reads what people write (``"0.15"``, ``3``) and refuses what can't be a price; ``dollars`` writes it back.
"""

from decimal import Decimal, InvalidOperation

NANO = 1_000_000_000
MOST = 1 << 62  # nano-dollars: fits SQLite's integer with room to add up


def usd(value: object, what: str = "a price") -> int:
    """Nano-dollars from a number or a text; raises ValueError for NaN, negative, huge or finer than a nano-dollar."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{what} must be a number of dollars, not {value!r}")
    try:
        amount = Decimal(str(value)) * NANO
    except InvalidOperation:
        raise ValueError(f"{what} must be a number of dollars, not {value!r}") from None
    if not amount.is_finite() or amount < 0 or amount > MOST:
        raise ValueError(f"{what} must be a number of dollars from 0 up, not {value!r}")
    if amount != amount.to_integral_value():
        raise ValueError(f"{what} has more than nine decimals: {value!r}")
    return int(amount)


def check_money(value: object) -> str | None:
    """For schemas: why a value is no amount of dollars; None: it is one."""
    try:
        usd(value, "it")
    except ValueError as fault:
        return str(fault)
    return None


def dollars(nano: int, places: int | None = None) -> str:
    """A decimal text: all digits that count, at least two places; or rounded half even to ``places``."""
    amount = Decimal(nano) / NANO
    if places is not None:
        return f"{amount:.{places}f}"
    text = f"{amount:.9f}".rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"
