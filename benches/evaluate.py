"""How sure an evaluation is, and what that costs: 200,000 rows, beside scikit-learn's metrics with numpy's resampling.

usage: MLOPS=/path/to/mlops python evaluate.py [WORK…]     works: metrics page
needs: pip install numpy polars scikit-learn
metrics: `mlops evaluate --predictions` as a whole command (read a CSV of label and probability, all metrics of two classes,
1,000 resamples of log_loss, roc_auc and accuracy) beside scikit-learn in a process that has its arrays already: the same
metrics of all rows once, and RESAMPLES (20) resamples of those three, scaled to 1,000. page: `mlops evaluate` of a model on
200,000 rows with five slice columns, intervals and a page in HTML, wanted within 3 s. The table is that of gen_churn.py.
Each tool in a process of its own; `work,tool,seconds,megabytes`; the median of TURNS (3).
"""
import json, os, pathlib, statistics, subprocess, sys, tempfile

import numpy as np

from measure import run

here = pathlib.Path(__file__).parent
mlops = os.path.abspath(os.environ.get("MLOPS", here.parent / "target/release/mlops"))
works = sys.argv[1:] or ["metrics", "page"]
TURNS, RESAMPLES = int(os.environ.get("TURNS", "3")), int(os.environ.get("RESAMPLES", "20"))
ROWS, METRICS, SLICES = 200_000, "log_loss,roc_auc,accuracy", ["city", "plan", "channel", "bins(age, 5)", "bins(income, 5)"]

PEER = """
import json, sys, time
import numpy as np, polars as pl
from sklearn import metrics as m
t = pl.read_csv(sys.argv[1]); y, p = t["y"].to_numpy(), t["p"].to_numpy()
resamples = int(sys.argv[2])
s = time.perf_counter()
c = (p > 0.5).astype(int)
for f in (m.accuracy_score, m.balanced_accuracy_score, m.f1_score, m.precision_score, m.recall_score, m.matthews_corrcoef,
          m.cohen_kappa_score, m.jaccard_score, m.confusion_matrix): f(y, c)
for average in ("macro", "weighted"):
    for f in (m.f1_score, m.precision_score, m.recall_score): f(y, c, average=average)
for f in (m.roc_auc_score, m.average_precision_score, m.log_loss, m.brier_score_loss, m.roc_curve, m.precision_recall_curve): f(y, p)
once = time.perf_counter() - s
rng, values = np.random.default_rng(0), []
s = time.perf_counter()
for _ in range(resamples):
    i = rng.integers(0, len(y), len(y)); a, b = y[i], p[i]
    values.append((m.log_loss(a, b), m.roc_auc_score(a, b), m.accuracy_score(a, b > 0.5)))
each = (time.perf_counter() - s) / resamples
print(json.dumps({"once": once, "each": each, "deviation": np.std(values, axis=0, ddof=1).tolist()}))
"""


def line(work, tool, turns):
    seconds = statistics.median(turn[0] for turn in turns)
    print(f"{work},{tool},{seconds:.3f},{max(turn[1] for turn in turns):.0f}", flush=True)
    return seconds


def metrics(work):
    rng = np.random.default_rng(3)
    y = (rng.random(ROWS) < 0.3).astype(int)
    p = 1 / (1 + np.exp(-(rng.normal(size=ROWS) + y * 1.3 - 1.2)))
    table = work / "scored.csv"
    table.write_text("y,p\n" + "".join(f"{a},{b:.6f}\n" for a, b in zip(y, p)))
    words = [mlops, "evaluate", "--predictions", table, "--label", "y", "--score", "p", "--positive", "1", "--json"]
    words += ["--metric", f"{METRICS},all", "--worst", "0"]
    # With a process of its own and nothing resampled: what is left is reading the file and measuring once.
    without = line("metrics without intervals", "mlops", [run([*words, "--resamples", "0"], work) for _ in range(TURNS)])
    turns = [run(words, work) for _ in range(TURNS)]
    ours = line("metrics", "mlops", turns)
    seconds, peak, out = run([sys.executable, "-c", PEER, table, RESAMPLES], work)
    peer = json.loads(out)
    theirs = peer["once"] + 1_000 * peer["each"]
    print(f"metrics,scikit-learn ({RESAMPLES} resamples scaled),{theirs:.3f},{peak:.0f}")
    print(f"  ratio: time {ours / theirs:.4f}; 1,000 resamples alone {ours - without:.3f} s", flush=True)
    intervals = json.loads(turns[0][2])["data"]["intervals"]
    for name, deviation in zip(METRICS.split(","), peer["deviation"]):
        # A 95 % interval is 3.92 deviations wide; twenty resamples know theirs to about a sixth.
        ours = (intervals[name]["high"] - intervals[name]["low"]) / 3.92
        print(f"  deviation of {name}: {ours:.2e}, scikit-learn's {deviation:.2e}")


def page(work):
    subprocess.run([sys.executable, here / "gen_churn.py", str(ROWS), work / "fresh.csv", "11"], check=True)
    subprocess.run([sys.executable, here / "gen_churn.py", "50000", work / "table.csv"], check=True)
    folder = work / "page"
    folder.mkdir()
    run([mlops, "init"], folder)
    run([mlops, "ingest", work / "table.csv", "--name", "t", "--target", "churned", "--task", "binary", "--ignore", "amount"], folder)
    run([mlops, "train", "--model", "boost", "--set", "trees=100"], folder)
    run([mlops, "ingest", work / "fresh.csv", "--name", "fresh", "--target", "churned", "--task", "binary"], folder)
    by = [word for column in SLICES for word in ("--by", column)]
    words = [mlops, "evaluate", "--on", "fresh", *by]
    seconds = line("page", "mlops", [run([*words, "--report", "report.html"], folder) for _ in range(TURNS)])
    print("  wanted: 3 s", "" if seconds <= 3 else "MISSED")
    line("page without intervals", "mlops", [run([*words, "--report", "report.html", "--resamples", "0"], folder)])
    line("page without worst slices", "mlops", [run([*words, "--report", "report.html", "--worst", "0"], folder)])


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as place:
        print(f"# {os.cpu_count()} cores, {TURNS} turns, {ROWS:,} rows")
        for name, work in (("metrics", metrics), ("page", page)):
            if name in works:
                work(pathlib.Path(place))


main()
