"""A person at a terminal: a program on a real pseudo-terminal, typed at and read until something is to be seen."""

import contextlib
import errno
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_ESCAPES: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]")
_WHERE_IS_THE_CURSOR: Final = b"\x1b[6n"
_HERE: Final = b"\x1b[1;1R"


@dataclass
class Terminal:
    """What the program wrote, without its escapes, is in `text`; `sees` reads on from where it stopped."""

    process: subprocess.Popen[bytes]
    master: int
    text: str = ""
    _raw: bytes = b""
    _read_to: int = field(default=0)

    def types(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def sees(self, wanted: str, within: float = 30) -> str:
        """Read on until the text is there; what was read is returned. Raises AssertionError after `within` seconds."""
        deadline = time.monotonic() + within
        while (at := self.text.find(wanted, self._read_to)) < 0:
            if not self._read(deadline):
                raise AssertionError(f"{wanted!r} was not seen; seen since the last: {self.text[self._read_to :]!r}")
        start, self._read_to = self._read_to, at + len(wanted)
        return self.text[start : self._read_to]

    def ends(self, within: float = 30) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + within
        while self._read(deadline):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def colours(self) -> list[bytes]:
        """The sequences that chose a colour, other than the terminal's own."""
        codes = re.findall(rb"\x1b\[([0-9;]*)m", self._raw)
        return [code for code in codes if re.search(rb"(^|;)(3[0-8]|4[0-8]|9[0-7]|10[0-7])(;|$)", code)]

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux says so when the other side is closed
                raise
            return False
        for _ in range(data.count(_WHERE_IS_THE_CURSOR)):
            os.write(self.master, _HERE)
        self._raw += data
        self.text = _ESCAPES.sub("", self._raw.decode(errors="ignore")).replace("\r", "")
        return bool(data)


@contextlib.contextmanager
def terminal(
    command: Sequence[str], environ: Mapping[str, str], *, columns: int = 100, rows: int = 45
) -> Iterator[Terminal]:
    """Run a program on a terminal of its own; it is killed if it is still there at the end."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        # Ctrl-C reaches whoever the terminal belongs to.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # type: ignore[arg-type,return-value,unused-ignore]
        env={**os.environ, "TERM": "xterm-256color", **environ},
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(master)
