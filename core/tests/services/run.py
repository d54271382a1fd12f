#!/usr/bin/env python3
"""Real services on loopback for the tests.

    run.py build             builds what is missing, and nothing else
    run.py serve             starts everything, says where, and waits to be ended
    run.py COMMAND…          starts everything, runs the command with SEALWRIGHT_SERVICES=…/services.json, ends everything

Ports are free ones, folders of a run are its own, and services end with this program however it ends.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pinned
from services import Services

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _run_folder():
    """A folder of this run, after those of runs that were killed are gone."""
    runs = pinned.CACHE / "run"
    runs.mkdir(parents=True, exist_ok=True)
    for old in runs.iterdir():
        if old.name.split("-")[0].isdigit() and not _alive(int(old.name.split("-")[0])):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=runs))


def _alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False
    except PermissionError:
        return True


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 2
    pinned.build_all()
    if sys.argv[1] == "build":
        return 0
    for number in ENDING:
        signal.signal(number, lambda *_: sys.exit(130))
    folder = _run_folder()
    services = Services(folder)
    try:
        file = services.start()
        print(f"services: {file}", flush=True)
        if sys.argv[1] == "serve":
            while True:
                signal.pause()
        return subprocess.run(sys.argv[1:], env={**os.environ, "SEALWRIGHT_SERVICES": file}).returncode
    finally:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
