"""Data in, beside what people use today: ingest, validate, drift, memory, and what one percent more rows costs.

usage: data.py MLOPS [--rows 1000000] [--huge] [--evidently PYTHON]
needs: pip install dvc numpy polars pandas pandera     (--evidently: the python of an environment with evidently and "pandas<3")
Every tool works on the table of gen_churn.py in one sitting; each line is `work,tool,seconds,megabytes,note`. --huge makes
a table of 5 GB (38 million rows) and ingests it.
"""
import argparse, json, os, pathlib, shutil, statistics, subprocess, sys, tempfile

from measure import run

here = pathlib.Path(__file__).parent
arguments = argparse.ArgumentParser()
arguments.add_argument("mlops")
arguments.add_argument("--rows", type=int, default=1_000_000)
arguments.add_argument("--huge", action="store_true")
arguments.add_argument("--evidently")
given = arguments.parse_args()
mlops = os.path.abspath(given.mlops)
tools = pathlib.Path(sys.executable).parent


def say(work, tool, measured, note=""):
    seconds, megabytes = statistics.median(m[0] for m in measured), max(m[1] for m in measured)
    print(f"{work},{tool},{seconds:.3f},{megabytes:.0f},{note}", flush=True)
    return seconds, megabytes


def python(code, *words, interpreter=sys.executable):
    return [interpreter, "-c", code, *words]


READ = "import pandas, sys; t = pandas.read_csv(sys.argv[1])"
DESCRIBE = READ + "; print(t.describe(include='all').shape)"
PANDERA = """
import pandas, sys, time, warnings
warnings.filterwarnings("ignore")
import pandera.pandas as pa
t = pandas.read_csv(sys.argv[1])
schema = pa.DataFrameSchema({
    "age": pa.Column(int, pa.Check.in_range(18, 90)), "income": pa.Column(float, pa.Check.gt(0), nullable=True),
    "plan": pa.Column(str, pa.Check.isin(["basic", "plus", "pro", "enterprise"]), nullable=True),
    "city": pa.Column(str, pa.Check.str_matches(r"^city_\\d\\d$")), "tenure": pa.Column(int, pa.Check.in_range(0, 120)),
    "churned": pa.Column(int, pa.Check.isin([0, 1]))})
start = time.perf_counter(); schema.validate(t, lazy=True); print(time.perf_counter() - start)
"""
INSIDE = "import time, pandas, sys; s = time.perf_counter(); t = pandas.read_csv(sys.argv[1]); r = time.perf_counter() - s; s = time.perf_counter(); t.describe(include='all'); print(r, time.perf_counter() - s)"
EVIDENTLY = """
import pandas, sys, time, warnings
warnings.filterwarnings("ignore")
from evidently import Report
from evidently.presets import DataDriftPreset
a, b = pandas.read_csv(sys.argv[1]), pandas.read_csv(sys.argv[2])
start = time.perf_counter(); Report([DataDriftPreset()]).run(b, a).dict(); print(time.perf_counter() - start)
"""


def fresh(parent, name):
    folder = pathlib.Path(parent, name)
    folder.mkdir()
    subprocess.run([mlops, "init"], cwd=folder, check=True, capture_output=True)
    return folder


def halves(table, folder, rows):
    """Line by line: the peak memory of a child counts what its parent held when it started."""
    with table.open() as source, open(folder / "first.csv", "w") as first, open(folder / "second.csv", "w") as second:
        header = next(source)
        first.write(header), second.write(header)
        for number, line in enumerate(source):
            (first if number < rows // 2 else second).write(line)


def peers(table, work):
    """Seconds of `dvc add`, its no-op, pandas read, describe, pandera; peak megabytes of pandas after reading."""
    seconds = {}
    adds, again = [], []
    for turn in range(3):
        folder = pathlib.Path(work, f"dvc{turn}")
        folder.mkdir()
        shutil.copy(table, folder / "t.csv")
        run([tools / "dvc", "init", "--no-scm", "-q"], folder)
        adds.append(run([tools / "dvc", "add", "-q", "t.csv"], folder))
        again.append(run([tools / "dvc", "add", "-q", "t.csv"], folder))
    seconds["dvc add"], _ = say("version", "dvc add", adds)
    seconds["dvc again"], _ = say("version again", "dvc add", again)
    inside = [[float(word) for word in run(python(INSIDE, table), work)[2].split()] for _ in range(3)]
    seconds["read"], seconds["describe"] = (statistics.median(turn[i] for turn in inside) for i in (0, 1))
    print(f"read,pandas,{seconds['read']:.3f},,\ndescribe,pandas,{seconds['describe']:.3f},,")
    _, seconds["megabytes"] = say("read process", "pandas", [run(python(READ, table), work)])
    checks = [float(run(python(PANDERA, table), work)[2]) for _ in range(3)]
    seconds["pandera"] = statistics.median(checks)
    print(f"validate 6 columns in memory,pandera,{seconds['pandera']:.3f},,", flush=True)
    return seconds


def ours(table, work, peer):
    sum_of_peers = peer["dvc add"] + peer["read"] + peer["describe"]
    turns, ruled, validated, unchanged = [], [], [], []
    for turn in range(3):
        folder = fresh(work, f"m{turn}")
        turns.append(run([mlops, "ingest", table, "--name", "t", "--target", "churned"], folder))
        unchanged.append(run([mlops, "ingest", table, "--name", "t", "--target", "churned"], folder))
        run([mlops, "validate", "--init"], folder)
        ruled.append(run([mlops, "validate", "--rules-only"], folder, codes=(0, 1)))
        validated.append(run([mlops, "validate"], folder, codes=(0, 1)))
    seconds, megabytes = say("ingest", "mlops", turns)
    print(f"  ratio to dvc add + read + describe: {seconds / sum_of_peers:.2f}; memory to pandas: {megabytes / peer['megabytes']:.2f}")
    seconds, _ = say("ingest unchanged", "mlops", unchanged)
    print(f"  ratio to dvc add again: {seconds / peer['dvc again']:.4f}")
    for work, measured in (("validate 20 columns and duplicates", ruled), ("the same and all suspicions", validated)):
        seconds, megabytes = say(work, "mlops", measured)
        print(f"  ratio to pandera: {seconds / peer['pandera']:.2f}; memory to pandas: {megabytes / peer['megabytes']:.2f}")


def drift(work, evidently):
    folder = fresh(work, "drift")
    run([mlops, "ingest", work / "first.csv", "--name", "t"], folder)
    run([mlops, "ingest", work / "second.csv", "--name", "t"], folder)
    measured = [run([mlops, "diff", "t@v1", "t@v2", "--drift"], folder) for _ in range(5)]
    seconds, megabytes = say("drift of two halves from stored sketches", "mlops", measured)
    if evidently:
        words = python(EVIDENTLY, work / "first.csv", work / "second.csv", interpreter=evidently)
        _, peak, out = run(words, work)
        print(f"drift,evidently,{float(out):.3f},{peak:.0f},\n  ratio: {seconds / float(out):.5f}", flush=True)


def grown(table, work):
    """What one percent more rows costs, in a table of about 200 MB."""
    folder = fresh(work, "grown")
    big = pathlib.Path(work, "grown.csv")
    big.write_bytes(table.read_bytes())
    subprocess.run([sys.executable, here / "gen_churn.py", "515000", work / "more.csv", "8"], check=True)
    lines = pathlib.Path(work, "more.csv").read_text().splitlines(keepends=True)
    with big.open("a") as out:
        out.writelines(lines[1:])
    header, rows = lines[0], lines[1:15_001]
    first = json.loads(run([mlops, "ingest", big, "--name", "t", "--json"], folder)[2])["data"]["stored_bytes"]
    pathlib.Path(work, "new.csv").write_text(header + "".join(rows))
    appended = json.loads(run([mlops, "ingest", "--json", work / "new.csv", "--name", "t", "--append"], folder)[2])["data"]["stored_bytes"]
    with big.open("a") as out:
        out.writelines(rows)
    other = fresh(work, "grown2")
    shutil.copytree(folder / ".mlops", other / ".mlops", dirs_exist_ok=True)
    size = json.loads(run([mlops, "ingest", big, "--name", "u", "--json"], other)[2])["data"]["stored_bytes"]
    print(f"1 % more rows of {big.stat().st_size / 1e6:.0f} MB: appended {appended / first:.2%}, grown file {size / first:.2%} new bytes")


def huge(work):
    table = pathlib.Path(work, "huge.csv")
    with table.open("wb") as out:
        for seed in range(38):
            part = pathlib.Path(work, "part.csv")
            subprocess.run([sys.executable, here / "gen_churn.py", "1000000", part, str(100 + seed)], check=True)
            data = part.read_bytes()
            out.write(data if seed == 0 else data[data.index(b"\n") + 1:])
    folder = fresh(work, "huge")
    say(f"ingest {table.stat().st_size / 1e9:.2f} GB", "mlops", [run([mlops, "ingest", table, "--name", "t"], folder)])


with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as place:
    work = pathlib.Path(place)
    table = work / "churn.csv"
    subprocess.run([sys.executable, here / "gen_churn.py", str(given.rows), table], check=True)
    print(f"# {given.rows} rows, {table.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} cores")
    if given.huge:
        huge(work)
    else:
        peer = peers(table, work)
        ours(table, work, peer)
        halves(table, work, given.rows)
        drift(work, given.evidently)
        grown(table, work)
