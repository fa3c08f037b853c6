#!/usr/bin/env python3
"""Time and memory of reading files, one line each: file, command, exit code, seconds, MiB.

    scripts/limits.py target/release/rowferry FILE-OR-FOLDER…

Runs `columns` and `check` on each. What takes more than 10 s or 500 MiB, dies by a signal or ends
with another code than 0, 1 or 2 is marked, and the script then ends with 1. The mapping takes the
first column, whatever it is.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SECONDS, MIB = 10, 500
TARGET = """name = "Any"
base_url = "https://any.example"

[auth]
kind = "none"

[create]
path = "/customers"
id = "id"

[errors]
message = "message"

[fields]
name = { type = "text" }
"""
MAPPING = """target = "./any.target.toml"

[row]
key = "@A"

[fields]
name = "@A"
"""


def measured(arguments):
    """Exit code (negative: the signal), seconds, MiB at most."""
    begun = time.monotonic()
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(arguments, **quiet)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - begun, usage.ru_maxrss / 1024


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    files = []
    for name in map(Path, sys.argv[2:]):
        files += sorted(path for path in name.iterdir() if path.is_file()) if name.is_dir() else [name]
    most = {"columns": [0, 0], "check": [0, 0]}
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        mapping = Path(folder, "any.toml")
        mapping.write_text(MAPPING)
        Path(folder, "any.target.toml").write_text(TARGET)
        print(f"{'file':50} {'command':8} {'exit':>4} {'seconds':>8} {'MiB':>6}")
        for path in files:
            for command, more in (("columns", ["--json"]), ("check", ["--json", "-m", str(mapping)])):
                code, seconds, mib = measured([program, command, str(path), *more])
                wrong = code not in (0, 1, 2) or seconds > SECONDS or mib > MIB
                bad += wrong
                peak = most[command]
                peak[:] = max(peak[0], seconds), max(peak[1], mib)
                mark = "  <- too much" if wrong else ""
                print(f"{path.name[:50]:50} {command:8} {code:4} {seconds:8.2f} {mib:6.0f}{mark}")
    for command, (seconds, mib) in most.items():
        print(f"most: {command} {seconds:.2f} s, {mib:.0f} MiB")
    print(f"{len(files)} files, {bad} beyond {SECONDS} s or {MIB} MiB, or ended otherwise")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
