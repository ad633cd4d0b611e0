"""Money reads what people write and refuses what can't be a price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.money import MOST, dollars, usd


@pytest.mark.parametrize(
    ("written", "nano"), [("0.15", 150_000_000), (3, 3_000_000_000), (0.1, 100_000_000), ("1e-9", 1), (0, 0)]
)
def test_reads_dollars(written, nano):
    assert usd(written) == nano


@pytest.mark.parametrize(
    "written", ["x", "", "nan", float("nan"), float("inf"), -1, "-0.01", True, None, [], "1e30", "1e-10"]
)
def test_refuses_what_is_no_price(written):
    with pytest.raises(ValueError, match="a price"):
        usd(written)


@given(st.integers(0, MOST))
def test_written_and_read_back(nano):
    assert usd(dollars(nano)) == nano


def test_writes_two_places_at_least():
    assert dollars(1_500_000_000) == "1.50"
    assert dollars(1) == "0.000000001"
    assert dollars(1_999_999_999, 2) == "2.00"
