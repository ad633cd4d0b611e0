"""A real pseudo-terminal with a program in it: keys in, bytes out, and what the terminal's settings are afterwards."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

WAIT = 20.0
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>()][0-9A-B]?")


class Terminal:
    """``command`` on a terminal of its own."""

    def __init__(self, command, columns=120, lines=40, **environ):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self.seen = b""
        clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TEXTUAL")}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**clean, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONUTF8": "1", **environ},
        )  # fmt: skip
        self.theirs = theirs

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.theirs)
        os.close(self.ours)

    def type(self, keys):
        """Press keys."""
        os.write(self.ours, keys.encode())

    def read(self, seconds=0.05):
        """What came by now."""
        while select.select([self.ours], [], [], seconds)[0]:
            try:
                data = os.read(self.ours, 1 << 16)
            except OSError:
                return
            self.seen += data
            seconds = 0.0

    @property
    def text(self):
        """All that was ever shown, without escapes."""
        return _ESCAPES.sub(b" ", self.seen).decode("utf-8", "replace")

    def until(self, text):
        """Wait until a text was shown since the last ``forget``."""
        end = time.monotonic() + WAIT
        while text not in self.text:
            assert time.monotonic() < end, f"{text!r} was not shown; the end of it: {self.text[-3000:]}"
            self.read()

    def forget(self):
        """What was shown by now does not count any more."""
        self.seen = b""

    def ended(self):
        """The exit code."""
        end = time.monotonic() + WAIT
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it did not end: {self.text[-2000:]}"
            self.read()
        self.read()
        return self.process.returncode

    def is_sane(self):
        """Whether the terminal is as it was: its settings, the cursor shown, the other screen left, no mouse reports."""
        settings = termios.tcgetattr(self.theirs)
        shown = self.seen.rfind(b"\x1b[?25h") > self.seen.rfind(b"\x1b[?25l")
        left = self.seen.rfind(b"\x1b[?1049l") > self.seen.rfind(b"\x1b[?1049h")
        mouse = self.seen.rfind(b"\x1b[?1000l") > self.seen.rfind(b"\x1b[?1000h")
        return settings == self.before and shown and left and mouse
