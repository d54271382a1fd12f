"""The `sealwright` command."""

import signal
import sys

from ._sealwright import run_command

__all__ = ["main", "run_command"]


def main() -> int:
    """Runs the command with the arguments of this process, and gives its exit code."""
    # an interrupt ends the command at once, as it does where the command is a program of its own
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_command(["sealwright", *sys.argv[1:]])
