"""Text for terminals: traffic text can move nothing, cells are counted, figures are short."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from aimon_local.tui import lines
from aimon_local.tui.lines import ASCII, UNICODE, Column

NASTY = [
    "[/x]",
    "[bold red]",
    "\x1b[2J\x1b[31m",
    "\u202eevil",
    "אבג",
    "👩‍👩‍👧 x",
    "a\nb\tc",
    "é",
    "中文字",
    "x" * 10_000,
    "",
    "\x00",
    "%s{}",
]
TEXT = st.one_of(st.text(), st.sampled_from(NASTY))


@given(TEXT)
def test_clean_text_moves_nothing(text):
    shown = lines.clean(text)
    assert shown.isprintable()
    assert len(shown) <= 6 * lines.MOST
    assert not any("\u0590" <= each <= "\u08ff" or each in "\u202a\u202b\u202d\u202e\u2066\u2067" for each in shown)
    assert lines.clean(shown, 10_000) == shown


@given(TEXT, st.integers(0, 40), st.booleans())
def test_a_cell_is_as_wide_as_it_is(text, width, right):
    assert cell_len(lines.fit(lines.clean(text), width, right)) == width


@given(st.lists(TEXT, min_size=3, max_size=3), st.integers(1, 200))
def test_rows_are_never_wider_than_their_columns(texts, width):
    columns = (Column("A", 8), Column("B", 12, 2, grows=True), Column("C", 5, 1, right=True))
    places = lines.chosen(columns, width)
    made = lines.row(columns, places, [lines.clean(each) for each in texts], "…")
    assert lines.width_of(made) == lines.width_of(lines.heading(columns, places, "…")) <= max(width, 12)


def test_columns_give_way_by_rank():
    columns = (Column("A", 10), Column("B", 10, 2), Column("C", 10, 1))
    assert [at for at, _ in lines.chosen(columns, 40)] == [0, 1, 2]
    assert [at for at, _ in lines.chosen(columns, 25)] == [0, 2]
    assert [at for at, _ in lines.chosen(columns, 12)] == [0]


def test_figures():
    assert [lines.count(n) for n in (0, 9999, 12_345, 123_456, 4_560_000, 10**13)] == [
        "0",
        "9999",
        "12.3k",
        "123k",
        "4.6M",
        "10T",
    ]
    assert [lines.rate(n) for n in (0, 0.25, 5000)] == ["0", "0.2", "5000"]
    money = (0, 15_000, 2 * 10**7, 1_234_500_000_000, -5 * 10**9)
    assert [lines.dollars(n) for n in money] == ["$0", "$0.000015", "$0.0200", "$1,234.50", "-$5.00"]
    assert lines.amount("cost/day", 10**9) == "$1.00"
    assert lines.amount("tokens/day", 1500) == "1500"
    assert [lines.duration(s * 10**9) for s in (-1, 5, 65, 3700, 90_000)] == ["0s", "5s", "1m05s", "1h01m", "1d01h"]
    assert lines.latency(1500) == "1.5ms"
    assert lines.latency(2_500_000) == "2500ms"


@given(st.floats(0, 3), st.floats(0, 3), st.integers(1, 30))
def test_bars_have_their_width(used, held, width):
    for signs in (UNICODE, ASCII):
        assert lines.width_of(lines.bar(used, held, width, signs)) == width


@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(0, 80))
def test_sparks(counts, width):
    shown = lines.spark(counts, width, UNICODE)
    assert len(shown) == width
    if width and counts and max(counts):
        assert UNICODE.sparks[-1] in shown
    assert lines.spark([0, 0, 1], 3, ASCII) == "  @"
