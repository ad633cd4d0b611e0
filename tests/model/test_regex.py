import pytest

from aimon_local.model.regex import compile_pcre


@pytest.mark.parametrize(
    ("pattern", "text", "hit"),
    [
        (r"/(?<user>\w+)/\d+", "/bob/12", "/bob/12"),
        (r"(?'q'a)\k<q>", "aa", "aa"),
        (r"(?P<q>a)\k{q}", "aa", "aa"),
        (r"a\z", "a", "a"),
        (r"[[:alpha:]]+[[:digit:]]", "ab1", "ab1"),
        (r"[]a]+", "]a", "]a"),
        (r"[^]a]+", "bc]", "bc"),
        (r"\h+", " \t", " \t"),
        (r"\(\[", "([", "(["),
        (r"[a\]]+", "a]", "a]"),
        (r"\w+", "aé", "a"),
        ("/(?i)ci", "/CI", "/CI"),
        ("(?i)a(b(?s).)c", "AB\nC", "AB\nC"),
        ("a(?i)b|c", "C", "C"),
        (r"((?<q>a)\k<q>(?i)b)c", "aaBc", "aaBc"),
        ("(a(?i)b)c", "aBc", "aBc"),
    ],
)
def test_reads_pcre(pattern, text, hit):
    assert compile_pcre(pattern).match(text)[0] == hit


def test_flags_end_with_their_group():
    assert compile_pcre("(a(?i)b)c").match("aBC") is None
    assert compile_pcre("a(?i)b|c").match("Ab") is None


def test_groups_keep_their_names():
    assert compile_pcre(r"/(?<a>x)").match("/x").groupdict() == {"a": "x"}


@pytest.mark.parametrize("pattern", ["(", "a**", "[", r"\k<none>", "(?<a>x)(?<a>y)", "a)", "((?i)a"])
def test_tells_what_is_wrong(pattern):
    assert isinstance(compile_pcre(pattern), str)
