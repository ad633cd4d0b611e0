"""Signatures: what the gateway said is believed, and nothing else is."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.agents.signing import RunMark, read_run, read_token, run_text, token_text

KEY, OTHER = b"k" * 32, b"o" * 32
MARK = RunMark("run-1", 2, "c0ffee", "abcd", "a")


def test_a_run_is_read_back_by_its_owner_alone():
    text = run_text(KEY, "acme", MARK)
    assert read_run(KEY, "acme", text) == MARK
    assert read_run(KEY, "other", text) is read_run(OTHER, "acme", text) is None


@given(st.integers(0, 80), st.characters(codec="latin-1"))
def test_one_changed_character_makes_it_nobodys(at, character):
    text = run_text(KEY, "acme", MARK)
    at %= len(text)
    changed = text[:at] + character + text[at + 1 :]
    assert (read_run(KEY, "acme", changed) is None) is (changed != text)


@given(st.text(max_size=60))
def test_any_text_is_read_without_a_fault(text):
    assert read_run(KEY, "acme", text) is None
    assert read_token(KEY, text.encode("utf-8", "surrogatepass")) is None


def test_a_depth_has_one_spelling():
    head, _, tail = run_text(KEY, "acme", MARK).partition(".2.")
    assert read_run(KEY, "acme", f"{head}.02.{tail}") is None
    assert read_run(KEY, "acme", f"{head}.\u0662.{tail}") is None


def test_tokens_of_ours_alone():
    claims = {"iss": "aimon-local", "jti": "1"}
    text = token_text(KEY, claims).encode()
    assert read_token(KEY, text) == claims
    assert read_token(OTHER, text) is None
    assert read_token(KEY, token_text(KEY, {"iss": "someone"}).encode()) is None
    head, body, _ = text.split(b".")
    assert read_token(KEY, head + b"." + body + b".") is None
    unsigned = b"eyJhbGciOiJub25lIn0." + body + b"."
    assert read_token(KEY, unsigned) is None
