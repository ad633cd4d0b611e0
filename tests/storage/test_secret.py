import os
import stat

import pytest

from aimon_local.errors import StartError
from aimon_local.storage.secret import NAME, fingerprint, load_secret


def test_it_is_made_once_and_only_the_owner_may_read_it(tmp_path):
    secret = load_secret(tmp_path, None)
    assert len(secret) == 32
    assert load_secret(tmp_path, fingerprint(secret)) == secret
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="no file modes")
def test_a_mode_that_lets_others_read_is_tightened(tmp_path):
    load_secret(tmp_path, None)
    (tmp_path / NAME).chmod(0o644)
    load_secret(tmp_path, None)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_half_written_draft_does_not_stop_a_start(tmp_path):
    (tmp_path / f"{NAME}.new").write_bytes(b"torn")
    assert len(load_secret(tmp_path, None)) == 32


@pytest.mark.parametrize(("content", "says"), [(None, "is gone"), (b"short", "32 bytes"), (bytes(32), "not the one")])
def test_a_lost_or_foreign_secret_is_refused_not_replaced(tmp_path, content, says):
    known = fingerprint(load_secret(tmp_path, None))
    path = tmp_path / NAME
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(StartError, match=says):
        load_secret(tmp_path, known)
    assert (path.read_bytes() if path.exists() else None) == content


def test_the_fingerprint_does_not_hold_the_secret():
    assert fingerprint(bytes(32)) != fingerprint(bytes(31) + b"\x01")
    assert len(fingerprint(bytes(32))) == 16
