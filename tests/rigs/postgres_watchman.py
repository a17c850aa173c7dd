"""Waits for the end of its standard input, then ends every process that works in a folder and removes the folder.

A program of its own, because the pytest that it serves may end in any way, also by kill -9.
"""

import shutil
import sys
from contextlib import suppress
from pathlib import Path

import psutil


def main(folder: Path) -> None:
    sys.stdin.buffer.read()
    psutil.wait_procs([process for process in psutil.process_iter() if _ended(process, folder)], timeout=30)
    shutil.rmtree(folder, ignore_errors=True)


def _ended(process: psutil.Process, folder: Path) -> bool:
    # A server and all its children work in their data folder.
    with suppress(psutil.Error):
        if Path(process.cwd()).is_relative_to(folder):
            process.kill()
            return True
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
