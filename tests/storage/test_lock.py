import os
import signal
import subprocess
import sys

import pytest

from aimon_local.errors import StartError
from aimon_local.storage.lock import NAME, DirectoryLock

HOLD = """
import sys
from pathlib import Path
from aimon_local.storage.lock import DirectoryLock
lock = DirectoryLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_holder_is_refused_by_pid_and_told_what_to_do(tmp_path):
    lock = DirectoryLock(tmp_path)
    with pytest.raises(StartError, match=rf"pid {os.getpid()}\b") as refused:
        DirectoryLock(tmp_path)
    assert "--data" in refused.value.hint
    lock.release()
    DirectoryLock(tmp_path).release()


def test_an_orderly_end_leaves_no_trace_and_a_disorderly_one_does(tmp_path):
    lock = DirectoryLock(tmp_path)
    assert not lock.unclean
    lock.release(orderly=False)
    second = DirectoryLock(tmp_path)
    assert second.unclean
    second.release()
    third = DirectoryLock(tmp_path)
    assert not third.unclean
    third.release()
    third.release()


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_holder_frees_the_directory(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StartError, match=rf"pid {holder.pid}\b"):
            DirectoryLock(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    lock = DirectoryLock(tmp_path)
    assert lock.unclean
    assert (tmp_path / NAME).read_text() == str(os.getpid())
    lock.release()
