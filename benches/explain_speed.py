"""What trees owe to each column, beside shap: 10,000 rows × 100 trees, and the same numbers.

usage: MLOPS=/path/to/mlops python explain_speed.py [WORK…]     works: boost same forest
needs: pip install numpy polars pandas scikit-learn lightgbm shap
boost: `mlops explain` as a whole command (read, prepare, contributions, curves of one column, store) beside shap's
TreeExplainer on a LightGBM model of the same size, which is timed alone. same: shap on the very model, exported, must give
the same mean size of each column's contributions and the same single rows, to 1e-6. forest: 100 trees grown to purity on
10,000 rows, 10,000 rows explained, beside shap on scikit-learn's forest, timed on 20 rows. The table is that of gen_churn.py.
Each tool in a process of its own; `work,tool,seconds,megabytes`, then the ratio; the median of TURNS (3).
"""
import json, os, pathlib, statistics, subprocess, sys, tempfile

from measure import run

here = pathlib.Path(__file__).parent
mlops = os.path.abspath(os.environ.get("MLOPS", here.parent / "target/release/mlops"))
works = sys.argv[1:] or ["boost", "same", "forest"]
TURNS = int(os.environ.get("TURNS", "3"))
EXPLAINED = 10_000

LOAD = """
import json, sys, time, warnings; warnings.filterwarnings("ignore")
import lightgbm, numpy as np, pandas as pd, shap
t, fresh = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2])
y, X = t["churned"].to_numpy(), t.drop(columns=["churned", "amount"])
categorical = ["city", "plan", "channel"]
for c in categorical:
    levels = sorted(X[c].dropna().unique())
    X[c], fresh[c] = pd.Categorical(X[c], levels), pd.Categorical(fresh[c], levels)
"""
BOOST = LOAD + """
model = lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, learning_rate=0.1, n_jobs=2, verbose=-1).fit(X, y)
explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
s = time.perf_counter(); explainer.shap_values(fresh); print(time.perf_counter() - s)
"""
SAME = LOAD + """
model = lightgbm.Booster(model_file=sys.argv[3])
values = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent").shap_values(fresh)
values = values[-1] if isinstance(values, list) else values
values = values[..., -1] if values.ndim == 3 else values
print(json.dumps({"columns": list(fresh), "mean": np.abs(values).mean(axis=0).tolist(), "rows": values[[0, 16, 9999]].tolist()}))
"""
FOREST = LOAD + """
from sklearn.ensemble import RandomForestClassifier
for c in categorical: X[c], fresh[c] = X[c].cat.codes, fresh[c].cat.codes
X, fresh = X.fillna(-1), fresh.fillna(-1)
model = RandomForestClassifier(100, n_jobs=2, random_state=0).fit(X, y)
explainer = shap.TreeExplainer(model)
s = time.perf_counter(); explainer.shap_values(fresh[:20], check_additivity=False); print((time.perf_counter() - s) * len(fresh) / 20)
"""


def project(work, name, table, fresh, model, *params):
    folder = pathlib.Path(work, name)
    folder.mkdir()
    run([mlops, "init"], folder)
    run([mlops, "ingest", table, "--name", "t", "--target", "churned", "--task", "binary", "--ignore", "amount"], folder)
    run([mlops, "train", "--model", model, *params], folder)
    run([mlops, "ingest", fresh, "--name", "fresh"], folder)
    return folder


def explained(folder, *words):
    """Median seconds, megabytes, and the explanation."""
    command = [mlops, "explain", "--on", "fresh", "--rows", EXPLAINED, "--top", "1", "--json", *words]
    turns = [run(command, folder) for _ in range(TURNS)]
    return statistics.median(t[0] for t in turns), max(t[1] for t in turns), json.loads(turns[-1][2])["data"]


def peer(code, *files, turns=TURNS):
    made = [run([sys.executable, "-c", code, *files], here) for _ in range(turns)]
    return statistics.median(float(out.split()[-1]) for _, _, out in made), max(peak for _, peak, _ in made)


def compare(work, ours, theirs):
    for tool, (seconds, megabytes) in (("mlops", ours), ("shap", theirs)):
        print(f"{work},{tool},{seconds:.3f},{megabytes:.0f}")
    print(f"  ratio: time {ours[0] / theirs[0]:.4f}", flush=True)


def same(folder, table, fresh):
    run([mlops, "export", "run:last", "--format", "lightgbm", "-o", "model.txt", "--force"], folder)
    theirs = json.loads(run([sys.executable, "-c", SAME, table, fresh, folder / "model.txt"], here)[2])
    rows = [word for row in (1, 17, 10_000) for word in ("--row", row)]
    data = explained(folder, *rows)[2]
    ours = {column["name"]: column["contribution"] for column in data["columns"]}
    far = max(abs(ours[name] - mean) for name, mean in zip(theirs["columns"], theirs["mean"]))
    for row, values in zip(data["explained"], theirs["rows"]):
        parts = {part["column"]: part["contributions"] for part in row["contributions"]}
        for name, value in zip(theirs["columns"], values):
            far = max(far, abs(parts[name][-1] - value))
    print(f"same,largest difference,{far:.1e}", "" if far <= 1e-6 else "MORE THAN 1e-6", flush=True)


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as place:
        work = pathlib.Path(place)
        subprocess.run([sys.executable, here / "gen_churn.py", str(80_000 + EXPLAINED), work / "raw.csv"], check=True)
        lines = (work / "raw.csv").read_text().splitlines()
        head, rows, last = lines[0], lines[1:80_001], lines[80_001:]
        table, small, fresh = work / "table.csv", work / "small.csv", work / "fresh.csv"
        table.write_text("\n".join([head, *rows]) + "\n")
        small.write_text("\n".join([head, *rows[:EXPLAINED]]) + "\n")
        # Without the truth, so that nothing but contributions is asked for: churned and amount come last.
        fresh.write_text("\n".join(line.rsplit(",", 2)[0] for line in [head, *last]) + "\n")
        print(f"# {os.cpu_count()} cores, {TURNS} turns")
        if "boost" in works or "same" in works:
            folder = project(work, "boost", table, fresh, "boost", "--set", "trees=100", "--set", "leaves=31")
            if "boost" in works:
                compare("boost", explained(folder)[:2], peer(BOOST, table, fresh))
            if "same" in works:
                same(folder, table, fresh)
        if "forest" in works:
            folder = project(work, "forest", small, fresh, "forest", "--set", "trees=100")
            compare("forest to purity", explained(folder)[:2], peer(FOREST, small, fresh, turns=1))


main()
