"""Foundations against the clock: start, status, no-op run, ingest, log; beside `dvc add` on the same file.

usage: foundation.py MLOPS_BINARY [CHURN.csv]     (the table of gen_churn.py with 1,000,000 rows; made when absent)
needs: pip install dvc numpy polars; git. Prints one Markdown row a measurement: median of several runs, and the ratio.
"""
import json, os, pathlib, shutil, statistics, subprocess, sys, tempfile, time

binary = os.path.abspath(sys.argv[1])
here = pathlib.Path(__file__).resolve().parent
table = sys.argv[2] if len(sys.argv) > 2 else "/tmp/churn.csv"
if not os.path.exists(table):
    subprocess.run([sys.executable, here / "gen_churn.py", "1000000", table], check=True)
work = tempfile.mkdtemp(prefix="mlops-bench-")
dvc = shutil.which("dvc", path=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])


def once(words, cwd, **more):
    start = time.perf_counter()
    subprocess.run([str(word) for word in words], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    return time.perf_counter() - start


def median(count, work_once):
    return statistics.median(work_once() for _ in range(count))


def row(what, ours, bound, peer=None, seconds=None):
    ratio = f"{ours / seconds:.2f} × {peer} ({seconds:.2f} s)" if peer else ""
    shown = f"{ours * 1000:.1f} ms" if ours < 1 else f"{ours:.2f} s"
    print(f"| {what} | {shown} | {bound} | {ratio} |", flush=True)


print("| work | measured | wanted | ratio |\n| --- | --- | --- | --- |")
row("`mlops --version`", median(20, lambda: once([binary, "--version"], work)), "≤ 10 ms")

example = f"{work}/penguins"
shutil.copytree(here.parent / "examples/penguins", example, ignore=shutil.ignore_patterns(".mlops"))
once([binary, "run"], example)
row("`mlops status`, examples/penguins", median(20, lambda: once([binary, "status"], example)), "≤ 30 ms")
row("`mlops run`, nothing changed", median(20, lambda: once([binary, "run"], example)), "≤ 50 ms")


def fresh_ingest():
    folder = tempfile.mkdtemp(dir=work)
    once([binary, "init"], folder)
    return once([binary, "ingest", table, "--target", "churned"], folder), folder


def fresh_dvc():
    folder = tempfile.mkdtemp(dir=work)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    once([dvc, "init"], folder)
    shutil.copy(table, f"{folder}/churn.csv")
    return once([dvc, "add", "churn.csv"], folder)


runs = [fresh_ingest() for _ in range(3)]
ours = statistics.median(seconds for seconds, _ in runs)
if dvc:
    row("`ingest` 1,000,000 × 20, 132 MB", ours, "≤ 2 × `dvc add`", "`dvc add`", median(3, fresh_dvc))
else:
    row("`ingest` 1,000,000 × 20, 132 MB", ours, "≤ 2 × `dvc add`")
folder = runs[-1][1]
row("the same again, unchanged", median(10, lambda: once([binary, "ingest", table, "--target", "churned"], folder)), "≤ 30 ms")

run = json.loads(subprocess.run([binary, "log", "param", "a=1", "--json"], cwd=example, capture_output=True, check=True).stdout)["data"]["run"]
loop = f'for i in $(seq 100); do "{binary}" log metric loss=$i --step $i --run {run} -q || exit 1; done'
row("`log metric`, one call of a shell loop", median(3, lambda: once(["sh", "-c", loop], example) / 100), "≤ 15 ms")
points = "\n".join(f"loss=0.{i} {i}" for i in range(100_000)).encode()
row("100,000 points through one call", median(3, lambda: once([binary, "log", "metric", "-", "-q"], example, input=points)), "≤ 1 s")

many = tempfile.mkdtemp(dir=work)
once([binary, "init"], many)
words = [f"m{i}=0.{i + 1}" for i in range(20)]
for _ in range(1000):
    once([binary, "log", "metric", *words, "-q"], many)
row("`log --json`, 1,000 runs × 20 metrics, index deleted before", once([binary, "log", "--json"], many) if not os.path.exists(f"{many}/.mlops/index.sqlite") else (os.remove(f"{many}/.mlops/index.sqlite"), once([binary, "log", "--json"], many))[1], "")
row("`log --json`, 1,000 runs × 20 metrics", median(10, lambda: once([binary, "log", "--json"], many)), "≤ 50 ms")
shutil.rmtree(work, ignore_errors=True)
