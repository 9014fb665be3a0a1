"""Asking 100,000 runs of 20 metrics, 5 parameters and 2 tags; beside MLflow's search of its SQLite store.

usage: query.py MLOPS_BINARY [RUNS] [--mlflow]       (100,000 runs unless said otherwise)
needs: nothing but Python; for the comparison `pip install mlflow-skinny sqlalchemy alembic`.
The runs come in as they do after a machine was switched off: as journals of dead searches whose trials had ended. The first
command seals them, all records through the product's own code, and the index is built from the records. Prints one Markdown
row a question: the median time of the whole process with a warm index, and the first time after the file cache of the index
was dropped by copying it.
"""
import hashlib, json, os, pathlib, random, shutil, statistics, subprocess, sys, tempfile, time

binary = os.path.abspath(sys.argv[1])
words = [word for word in sys.argv[2:] if not word.startswith("--")]
count = int(words[0]) if words else 100_000
work = pathlib.Path(tempfile.mkdtemp(prefix="mlops-query-"))
METRICS = ["accuracy", "f1", "precision", "recall", "roc_auc", "log_loss", "brier", "ks", "average_precision", "specificity",
           "matthews_corrcoef", "cohen_kappa", "jaccard", "fit_seconds", "train_log_loss", "validation_log_loss", "gain_10",
           "lift_10", "rows_used", "trees_used"]
TEAMS = ["fraud", "growth", "risk", "search", "ads"]
DAY = 86_400


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(seconds))


def start(run, kind, seconds, draw):
    return {"id": run, "kind": kind, "started": stamp(seconds), "command": ["mlops", kind, "churn@v3"],
            "code": {"commit": "%040x" % draw.getrandbits(160), "dirty": draw.random() < 0.3}, "seed": 42,
            "tool_version": "0.1.0", "host": draw.choice(["a", "b", "c"]), "user": draw.choice(["ann", "bob", "cid"])}


def record(number, draw):
    run = hashlib.sha256(f"run {number}".encode()).hexdigest()[:16]
    seconds = 1_760_000_000 + number * 60
    failed = draw.random() < 0.02
    begin = start(run, "train" if number % 2 else "evaluate", seconds, draw)
    return begin | {
        "state": "failed" if failed else "finished", "ended": stamp(seconds + 50), "wall_seconds": round(draw.uniform(1, 500), 3),
        "usage": {"cpu_seconds": 3.5, "peak_memory_bytes": 300_000_000},
        "params": {"trees": draw.randrange(10, 500), "learning_rate": round(draw.uniform(0.01, 0.3), 4),
                   "leaves": draw.choice([15, 31, 63]), "model": draw.choice(["boost", "forest", "linear"]),
                   "seed": draw.randrange(1000)},
        "metrics": [{"name": name, "step": 0, "value": round(draw.random(), 6)} for name in METRICS],
        "tags": {"team": draw.choice(TEAMS), "ticket": f"ML-{draw.randrange(5000)}"},
        "inputs": [], "outputs": [], "exit_code": 1 if failed else 0} | ({"error": "out of memory"} if failed else {})


def make(folder):
    subprocess.run([binary, "init", "-q"], cwd=folder, check=True)
    draw = random.Random(7)
    for first in range(0, count, 20_000):
        outer = hashlib.sha256(f"outer {first}".encode()).hexdigest()[:16]
        with open(folder / f".mlops/runs/{outer}.jsonl", "w") as out:
            out.write(json.dumps({"start": start(outer, "tune", 1_750_000_000, draw)}, separators=(",", ":")) + "\n")
            for number in range(first, min(first + 20_000, count)):
                out.write(json.dumps({"ended": record(number, draw)}, separators=(",", ":")) + "\n")


def run(*more, input=None):
    begin = time.perf_counter()
    done = subprocess.run([binary, "log", *more], cwd=work, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    assert done.returncode == 0, (more, done.stderr)
    return seconds, done.stdout


begin = time.perf_counter()
make(work)
print(f"journals written in {time.perf_counter() - begin:.1f} s", flush=True)
begin = time.perf_counter()
subprocess.run([binary, "log", "-n", "0", "-q"], cwd=work, check=True, stderr=subprocess.DEVNULL)
print(f"sealed and indexed by the first command in {time.perf_counter() - begin:.1f} s", flush=True)
for end in ["", "-wal", "-shm"]:
    pathlib.Path(f"{work}/.mlops/index.sqlite{end}").unlink(missing_ok=True)
seconds, _ = run("-n", "0", "-q")
size = os.path.getsize(work / ".mlops/index.sqlite") / 1e6
print(f"index built from the records in {seconds:.1f} s, {size:.0f} MB\n", flush=True)

QUESTIONS = [
    ["-n", "20"],
    ["--where", "metrics.f1 > 0.9 and params.trees >= 100 or tags.team = 'fraud'", "--sort", "metrics.f1", "-n", "20"],
    ["--where", "metrics.f1 > 0.999", "--sort", "metrics.f1", "-n", "20"],
    ["--where", "metrics.f1 > 0.001 and metrics.recall > 0.001 and metrics.log_loss < 0.999", "--sort", "log_loss", "-n", "20"],
    ["--where", "not (params.model = 'boost' or params.leaves in (15, 63)) and metrics.roc_auc between 0.5 and 0.9", "-n", "20"],
    ["--where", "tags.ticket like 'ML-12%' and state = 'failed'", "-n", "20"],
    ["--where", "started > '2025-11-15' and kind = 'train' and user != 'bob'", "--sort", "seconds desc, params.trees", "-n", "20"],
    ["--where", "tags.team is not null and params.learning_rate < 0.05 and dirty = true", "--sort", "params.learning_rate", "-n", "20"],
    ["--sort", "metrics.roc_auc desc, metrics.log_loss, started", "-n", "20"],
    ["--where", "error ilike '%MEMORY%' and host in ('a', 'b') and tags.team != 'ads'", "--columns", "run,error,host", "-n", "20"],
    ["--where", "metrics.f1 > 0.5 or metrics.recall > 0.5 or metrics.precision > 0.5", "-n", "0"],
    ["--errors", "-n", "5"],
]
print("| question | warm | first |\n| --- | --- | --- |")
worst = 0
for question in QUESTIONS:
    # A copy has pages that no process has read from the disk cache yet; it is the nearest to a cold start without root.
    for end in ["", "-wal"]:
        path = pathlib.Path(f"{work}/.mlops/index.sqlite{end}")
        if path.exists():
            shutil.copy(path, f"{path}.copy")
            os.replace(f"{path}.copy", path)
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
    first, _ = run(*question, "-q")
    warm = statistics.median(run(*question, "-q")[0] for _ in range(9))
    worst = max(worst, warm)
    print(f"| `{' '.join(question)}` | {warm * 1000:.0f} ms | {first * 1000:.0f} ms |", flush=True)
print(f"\nslowest question: {worst * 1000:.0f} ms (wanted: 100 ms)")
for question in [["--json"], ["--csv"], ["--columns", "run,metrics.f1", "--csv"], []]:
    seconds, text = run(*question, "-q")
    print(f"all {count} runs, `log {' '.join(question)}`: {seconds:.2f} s, {len(text) / 1e6:.0f} MB")

if "--mlflow" in sys.argv:
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from mlflow.store.tracking.dbmodels import models as tables

    path = work / "mlflow.db"
    store = SqlAlchemyStore(f"sqlite:///{path}", str(work / "artifacts"))
    draw = random.Random(7)
    begin = time.perf_counter()
    rows = {table: [] for table in (tables.SqlRun, tables.SqlMetric, tables.SqlLatestMetric, tables.SqlParam, tables.SqlTag)}
    for number in range(count):
        made = record(number, draw)
        run_id, at = made["id"], 1_760_000_000_000 + number * 60_000
        rows[tables.SqlRun].append(dict(run_uuid=run_id, name=run_id, status="FINISHED", start_time=at, end_time=at + 50_000, lifecycle_stage="active", experiment_id=0, artifact_uri="a", user_id=made["user"], source_type="LOCAL"))
        for metric in made["metrics"]:
            value = dict(run_uuid=run_id, key=metric["name"], value=metric["value"], timestamp=at, step=0, is_nan=False)
            rows[tables.SqlMetric].append(value)
            rows[tables.SqlLatestMetric].append(value)
        rows[tables.SqlParam] += [dict(run_uuid=run_id, key=key, value=str(value)) for key, value in made["params"].items()]
        rows[tables.SqlTag] += [dict(run_uuid=run_id, key=key, value=value) for key, value in made["tags"].items()]
    with store.engine.begin() as connection:
        for table, values in rows.items():
            for first in range(0, len(values), 50_000):
                connection.execute(table.__table__.insert(), values[first:first + 50_000])
    print(f"\nMLflow's store filled in {time.perf_counter() - begin:.1f} s")
    from mlflow.entities import ViewType
    for text, order in [("metrics.f1 > 0.9 and tags.team = 'fraud'", ["metrics.f1 DESC"]), ("metrics.f1 > 0.999", ["metrics.f1 DESC"]),
                        ("metrics.f1 > 0.001 and metrics.recall > 0.001 and metrics.log_loss < 0.999", ["metrics.log_loss ASC"])]:
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            store.search_runs(["0"], text, ViewType.ACTIVE_ONLY, max_results=20, order_by=order)
            times.append(time.perf_counter() - begin)
        ours = run("--where", text, "--sort", order[0].replace(" ASC", " asc").replace(" DESC", " desc"), "-n", "20", "-q")[0]
        print(f"| `{text}`, 20 best | mlops, whole process {ours * 1000:.0f} ms | MLflow, inside Python {statistics.median(times) * 1000:.0f} ms |", flush=True)
shutil.rmtree(work, ignore_errors=True)
