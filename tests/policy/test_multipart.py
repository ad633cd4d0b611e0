"""multipart bodies: untouched parts survive byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.multipart import Multipart

TYPE = b"multipart/form-data; boundary=XX"
BODY = (
    b'preamble\r\n--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--XX\r\ncontent-disposition: form-data; name="f"; filename="x.bin"\r\nContent-Type: text/plain\r\n\r\n\r\n--X\n\r\n\r\n'
    b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--XX--\r\nepilogue"
)


def test_parts_with_their_headers_and_contents():
    parts = Multipart(BODY, TYPE).parts
    assert [(part.name, part.content) for part in parts] == [(b"a", b"1"), (b"f", b"\r\n--X\n\r\n"), (b"a", b"")]
    assert parts[1].lines[1] == b"Content-Type: text/plain"


def test_edits():
    form = Multipart(BODY, TYPE)
    assert form.get(b"a") == b"1"
    assert form.get(b"z") is None
    form.delete(b"a")
    form.set(b"f", b"new")
    form.set(b'q"\r\n', b"x")
    assert form.render() == (
        b'--XX\r\nContent-Disposition: form-data; name="f"\r\n\r\nnew\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="q%22%0D%0A"\r\n\r\nx\r\n--XX--\r\n'
    )


def test_nothing_left_is_an_empty_body():
    form = Multipart(BODY, TYPE)
    form.delete(b"a")
    form.delete(b"f")
    assert form.render() == b""


def test_parts_without_a_name_are_dropped():
    body = b"--XX\r\nContent-Type: text/plain\r\n\r\n1\r\n--XX\r\nContent-Disposition: form-data\r\n\r\n2\r\n--XX--\r\n"
    assert Multipart(body, TYPE).parts == []


def test_boundaries():
    assert Multipart(BODY, b'multipart/form-data;boundary="XX"').get(b"a") == b"1"
    assert Multipart(BODY, b"multipart/form-data; boundary=YY").parts == []
    with pytest.raises(ValueError, match="boundary"):
        Multipart(BODY, b"multipart/form-data")


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.binary(max_size=20).filter(lambda c: b"--XX" not in c)))
)
def test_what_is_written_is_read_again(fields):
    form = Multipart(b"", TYPE)
    for name, content in fields:
        form.set(name, content)
    again = Multipart(form.render(), TYPE)
    assert [(p.name, p.content) for p in again.parts] == [(p.name, p.content) for p in form.parts]
