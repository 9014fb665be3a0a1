"""Runs every comparison of this folder with the real libraries from PyPI.

Usage: python tests/oracle/run.py PATH/TO/mlops [NAME…]      (NAME: only these scripts, as `gbm`)

Each script takes the path of the binary, prints what it compared, and exits with 1 when answers are too far apart. A script
whose library is missing prints a line that begins with `skipped:` and exits with 0. Exits with 1 when any script failed.
"""

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    mlops = Path(sys.argv[1]).resolve()
    if not mlops.is_file():
        sys.exit(f"{mlops} is not there: build it first, with cargo build")
    scripts = sorted(path for path in HERE.glob("*.py") if path.name != Path(__file__).name)
    scripts = [path for path in scripts if len(sys.argv) == 2 or path.stem in sys.argv[2:]]
    if not scripts:
        sys.exit(f"no script of {HERE} is called {' or '.join(sys.argv[2:])}")
    failed = []
    for script in scripts:
        started = time.monotonic()
        # -P: scripts are called as the libraries that they import.
        done = subprocess.run([sys.executable, "-P", script, mlops], capture_output=True, text=True)
        skipped = [line for line in done.stdout.splitlines() if line.startswith("skipped:")]
        verdict = "FAIL" if done.returncode else "skip" if skipped else "pass"
        print(f"{verdict}  {script.stem}  {time.monotonic() - started:.1f} s", *skipped, sep="  ", flush=True)
        if done.returncode:
            failed.append(script.stem)
            print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
        else:
            print("\n".join(f"      {line}" for line in done.stdout.splitlines() if line not in skipped))
    if failed:
        print(f"failed: {', '.join(failed)}")
        sys.exit(1)


main()
