"""Recipes and models, beside what people use today: transform, boost, multiclass, forest, logistic, predict, SHAP.

usage: models.py MLOPS [WORK…]     works: transform boost small multiclass forest logistic predict
needs: pip install numpy polars pandas scikit-learn lightgbm
One line a work and tool: `work,tool,seconds,megabytes,quality`, then the ratios. The table is that of gen_churn.py, 1,000,000
rows; the last fifth is for testing. Seconds are those of fitting (of the whole command for transform and predict), each tool
in a process of its own; megabytes are the most that process held, data included.
"""
import json, os, pathlib, statistics, subprocess, sys, tempfile

from measure import run

here = pathlib.Path(__file__).parent
mlops, works = os.path.abspath(sys.argv[1]), sys.argv[2:]
TURNS = int(os.environ.get("TURNS", "3"))

LOAD = """
import sys, time, warnings; warnings.filterwarnings("ignore")
import pandas as pd
t = pd.read_csv(sys.argv[1]); y = t["churned"].to_numpy(); cut = (t["part"] == "train").to_numpy(); test = (t["part"] == "test").to_numpy()
X = t.drop(columns=["churned", "amount", "part"], errors="ignore")
categorical = [c for c in ("city", "plan", "channel") if c in X]; numeric = [c for c in X if c not in categorical]
def auc(p):
    from sklearn.metrics import roc_auc_score
    return f"auc={roc_auc_score(y[test], p):.5f}"
def timed(work):
    s = time.perf_counter(); r = work(); return r, time.perf_counter() - s
"""
RECIPE = LOAD + """
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
recipe = ColumnTransformer([("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
    ("c", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), categorical)])
"""
TRANSFORM = RECIPE + "m, s = timed(lambda: recipe.fit_transform(X)); print(s, m.shape[1])"
LOGISTIC = RECIPE + """
from sklearn.linear_model import LogisticRegression
m = recipe.fit_transform(X)
model, s = timed(lambda: LogisticRegression(max_iter=1000).fit(m[cut], y[cut])); print(s, auc(model.predict_proba(m[test])[:, 1]))
"""
CATEGORIES = LOAD + "for c in categorical: X[c] = X[c].astype('category')\n"
BOOST = CATEGORIES + """
import lightgbm
model, s = timed(lambda: lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, learning_rate=0.1, n_jobs=2, verbose=-1).fit(X[cut], y[cut]))
print(s, auc(model.predict_proba(X[test])[:, 1]))
"""
PREDICT = CATEGORIES + """
import lightgbm
model = lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, learning_rate=0.1, n_jobs=2, verbose=-1).fit(X[cut], y[cut])
p, s = timed(lambda: model.predict_proba(X[test])); print(s, auc(p[:, 1]))
"""
FOREST = CATEGORIES + """
from sklearn.ensemble import RandomForestClassifier
for c in categorical: X[c] = X[c].cat.codes
X = X.fillna(-1)
model, s = timed(lambda: RandomForestClassifier(100, n_jobs=2, random_state=0).fit(X[cut], y[cut])); print(s, auc(model.predict_proba(X[test])[:, 1]))
"""
MULTICLASS = """
import sys, time, pandas as pd, lightgbm
from sklearn.metrics import log_loss
t = pd.read_csv(sys.argv[1]); cut = (t["part"] == "train").to_numpy(); test = (t["part"] == "test").to_numpy()
y, X = t["class"].to_numpy(), t.drop(columns=["class", "part"])
s = time.perf_counter(); model = lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, learning_rate=0.1, n_jobs=2, verbose=-1).fit(X[cut], y[cut]); s = time.perf_counter() - s
print(s, f"log_loss={log_loss(y[test], model.predict_proba(X[test])):.5f}")
"""
CLASSES = """
import sys, numpy as np, polars as pl
rng = np.random.default_rng(3); rows, wide, classes = 62_500, 64, 10
x = rng.normal(size=(rows, wide)); w = rng.normal(size=(wide, classes)) * (rng.random((wide, classes)) < 0.2)
z = x @ w + np.sin(2 * x[:, :classes]) * 2 + x[:, 10:20] * x[:, 20:30]
y = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
table = pl.DataFrame({f"x{i}": np.round(x[:, i], 4) for i in range(wide)} | {"class": [f"c{v}" for v in y], "part": ["train"] * 50_000 + ["test"] * 12_500})
table.write_csv(sys.argv[1])
"""
SPLIT = '[split]\nmethod = "column"\ncolumn = "part"\n'


def peer(code, table):
    seconds, megabytes, quality = [], 0, ""
    for _ in range(TURNS):
        _, peak, out = run([sys.executable, "-c", code, table], here)
        seconds.append(float(out.split()[0]))
        megabytes, quality = max(megabytes, peak), out.split()[1]
    return statistics.median(seconds), megabytes, quality


def project(work, name, table, target, text=""):
    folder = pathlib.Path(work, name)
    folder.mkdir()
    (folder / "mlops.toml").write_text(SPLIT + text)
    run([mlops, "init"], folder)
    ignored = ["--ignore", "amount"] if target == "churned" else []
    run([mlops, "ingest", table, "--name", "t", "--target", target, "--task", "multiclass" if target == "class" else "binary"] + ignored, folder)
    return folder


def fitted(folder, model, metric, *words):
    """Median seconds of fitting, peak megabytes of the whole command, and the metric on the test rows."""
    seconds, megabytes = [], 0
    for _ in range(TURNS):
        _, peak, out = run([mlops, "train", "--model", model, "--json", *words], folder)
        seconds.append(json.loads(out)["data"]["seconds"])
        megabytes = max(megabytes, peak)
    judged = json.loads(run([mlops, "evaluate", "--json"], folder)[2])["data"]["metrics"]
    return statistics.median(seconds), megabytes, f"{metric}={judged[metric]:.5f}"


def compare(work, name, ours, theirs):
    for tool, (seconds, megabytes, quality) in (("mlops", ours), (name, theirs)):
        print(f"{work},{tool},{seconds:.3f},{megabytes:.0f},{quality}")
    print(f"  ratio: time {ours[0] / theirs[0]:.2f}, memory {ours[1] / theirs[1]:.2f}", flush=True)


def with_parts(source, out, train, test):
    """Line by line, so that no process started from here inherits a large peak."""
    with open(source) as lines, open(out, "w") as made:
        made.write(next(lines).strip() + ",part\n")
        for number, line in zip(range(train + test), lines):
            made.write(f"{line.strip()},{'train' if number < train else 'test'}\n")


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as place:
        work = pathlib.Path(place)
        subprocess.run([sys.executable, here / "gen_churn.py", "1000000", work / "raw.csv"], check=True)
        large, small, classes = work / "large.csv", work / "small.csv", work / "classes.csv"
        with_parts(work / "raw.csv", large, 800_000, 200_000)
        with_parts(work / "raw.csv", small, 80_000, 200_000)
        wanted = lambda name: not works or name in works
        print(f"# {os.cpu_count()} cores, {TURNS} turns")
        if wanted("transform"):
            steps = '[transform]\nsteps = [{ op = "impute", columns = "numeric", strategy = "median" }, { op = "scale", columns = "numeric" }, { op = "impute", columns = "categorical", strategy = "mode" }, { op = "one_hot", columns = "categorical" }]\n'
            folder = project(work, "transform", large, "churned", steps)
            turns = [run([mlops, "transform", "--json"], folder) for _ in range(TURNS)]
            inside = statistics.median(json.loads(t[2])["data"]["seconds"] for t in turns)
            whole, megabytes = statistics.median(t[0] for t in turns), max(t[1] for t in turns)
            theirs = peer(TRANSFORM, large)
            compare("transform, fit and apply", "scikit-learn", (inside, megabytes, "63"), theirs)
            compare("transform, the whole command: read, split, fit, apply, write", "scikit-learn", (whole, megabytes, "63"), theirs)
        if wanted("boost"):
            compare("boost 800,000", "lightgbm", fitted(project(work, "boost", large, "churned"), "boost", "roc_auc"), peer(BOOST, large))
        if wanted("small"):
            compare("boost 80,000", "lightgbm", fitted(project(work, "small", small, "churned"), "boost", "roc_auc"), peer(BOOST, small))
        if wanted("multiclass"):
            subprocess.run([sys.executable, "-c", CLASSES, classes], check=True)
            compare("multiclass", "lightgbm", fitted(project(work, "multi", classes, "class"), "boost", "log_loss"), peer(MULTICLASS, classes))
        if wanted("forest"):
            folder = project(work, "forest", small, "churned")
            compare("forest 100 trees, 80,000", "scikit-learn", fitted(folder, "forest", "roc_auc", "--set", "trees=100"), peer(FOREST, small))
        if wanted("logistic"):
            compare("logistic 800,000", "scikit-learn", fitted(project(work, "logistic", large, "churned"), "logistic", "roc_auc"), peer(LOGISTIC, large))
        if wanted("predict"):
            folder = project(work, "predict", large, "churned")
            run([mlops, "train", "--model", "boost"], folder)
            with open(large) as lines, open(folder / "test.csv", "w") as out:
                header = next(lines)
                out.write(header), out.writelines(line for line in lines if line.endswith("test\n"))
            turns = [run([mlops, "predict", "run:last", "test.csv", "-o", "out.csv", "--keep", "churned"], folder) for _ in range(TURNS)]
            ours = statistics.median(t[0] for t in turns), max(t[1] for t in turns), "whole command: csv to csv"
            compare("predict 200,000", "lightgbm predict alone", ours, peer(PREDICT, large))


main()
