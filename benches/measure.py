"""What every script here measures with: the time and the memory of one command."""
import os, subprocess, time


def run(words, folder, codes=(0,)):
    """Seconds, peak megabytes and standard output of one command."""
    start = time.perf_counter()
    child = subprocess.Popen([str(word) for word in words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds, code = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
    assert code in codes, f"{words}: exit {code}\n{err.decode()}"
    return seconds, usage.ru_maxrss / 1024, out.decode()
