"""Search of parameters, beside Optuna: 500 trials that cost nothing, and 50 trials of boosting on titanic.

usage: tune.py MLOPS [WORK…]     works: empty boost
needs: pip install optuna lightgbm scikit-learn pandas
`empty`: both keep every trial on disk, mlops in its index and as runs, Optuna in SQLite. `boost`: the same space, the same training
and validation rows, two jobs, rounds that stop early; Optuna keeps its study in memory. Seeds differ by turn; quality is the best
validation value found, the median over turns.
"""
import json, os, pathlib, statistics, sys, tempfile

from measure import run

here = pathlib.Path(__file__).parent
mlops, works = os.path.abspath(sys.argv[1]), sys.argv[2:]
TURNS = int(os.environ.get("TURNS", "5"))
TITANIC = here.parent / "examples/titanic/data/titanic.csv"

EMPTY = """
import sys, time, tempfile, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
goal = lambda t: (t.suggest_float("x", -10, 10) - 2) ** 2 + t.suggest_int("k", 1, 9)
study = optuna.create_study(storage=f"sqlite:///{tempfile.mkdtemp()}/study.db", sampler=optuna.samplers.TPESampler(seed=1, multivariate=True))
s = time.perf_counter(); study.optimize(goal, n_trials=500); print(time.perf_counter() - s, len(study.trials))
"""
BOOST = """
import sys, time, warnings; warnings.filterwarnings("ignore")
import lightgbm as lgb, optuna, pandas as pd
from sklearn.metrics import log_loss
optuna.logging.set_verbosity(optuna.logging.ERROR)
t = pd.read_csv(sys.argv[1]); seed = int(sys.argv[2])
y = t.pop("survived").to_numpy(); part = t.pop("part").to_numpy()
for c in t.select_dtypes(exclude="number"): t[c] = t[c].astype("category")
train, held = part == "train", part == "validation"
def goal(trial):
    params = dict(objective="binary", verbose=-1, num_threads=1, seed=seed, bagging_freq=1,
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.3, log=True), num_leaves=trial.suggest_int("num_leaves", 7, 127, log=True),
        min_data_in_leaf=trial.suggest_int("min_data_in_leaf", 5, 100, log=True), feature_fraction=trial.suggest_float("feature_fraction", 0.5, 1),
        bagging_fraction=trial.suggest_float("bagging_fraction", 0.5, 1), lambda_l1=trial.suggest_float("lambda_l1", 1e-3, 10, log=True),
        lambda_l2=trial.suggest_float("lambda_l2", 1e-3, 10, log=True))
    data = lgb.Dataset(t[train], y[train]); against = lgb.Dataset(t[held], y[held], reference=data)
    model = lgb.train(params, data, 300, valid_sets=[against], callbacks=[lgb.early_stopping(30, verbose=False)])
    return log_loss(y[held], model.predict(t[held]))
study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True))
s = time.perf_counter(); study.optimize(goal, n_trials=50, n_jobs=2); print(time.perf_counter() - s, study.best_value)
"""
SPACE = """
[tune]
trials = 50
metric = "log_loss"
[tune.space]
learning_rate = { low = 0.01, high = 0.3, log = true }
leaves = { low = 7, high = 127, log = true }
leaf_rows = { low = 5, high = 100, log = true }
feature_share = { low = 0.5, high = 1.0 }
row_share = { low = 0.5, high = 1.0 }
l1 = { low = 0.001, high = 10.0, log = true }
l2 = { low = 0.001, high = 10.0, log = true }
"""


def empty(work):
    (work / "tiny.csv").write_text("x,y\n" + "".join(f"{n},{n * 7 % 11}.5\n" for n in range(40)))
    run([mlops, "init"], work)
    run([mlops, "ingest", "tiny.csv", "--target", "y"], work)
    ours, theirs = [], []
    for turn in range(TURNS):
        words = [mlops, "tune", "--model", "ridge", "--space", "l2=0.001..100:log", "--space", "max_iterations=100..900", "--trials", "500", "--seed", turn, "--json"]
        seconds, _, out = run(words, work)
        # The index catches up when it is next asked.
        after, _, kept = run([mlops, "log", "--study", "last", "-n", "1000", "--json"], work)
        assert len(json.loads(kept)["data"]["runs"]) == 500, kept
        ours.append(seconds + after)
        theirs.append(float(run([sys.executable, "-c", EMPTY], work)[2].split()[0]))
    return statistics.median(ours), "500_trials", statistics.median(theirs), "500_trials"


def boost(work):
    lines = TITANIC.read_text().splitlines()
    parts = lambda n: "test" if n % 5 == 0 else "validation" if n % 5 == 1 else "train"
    table = work / "t.csv"
    table.write_text(lines[0] + ",part\n" + "".join(f"{line},{parts(n)}\n" for n, line in enumerate(lines[1:])))
    (work / "mlops.toml").write_text('[split]\nmethod = "column"\ncolumn = "part"\n' + SPACE)
    run([mlops, "init"], work)
    run([mlops, "ingest", table, "--name", "t", "--target", "survived"], work)
    ours, theirs = [], []
    for turn in range(TURNS):
        words = [mlops, "tune", "--model", "boost", "--set", "trees=300", "--set", "patience=30", "--jobs", "2", "--seed", turn, "--json"]
        seconds, _, out = run(words, work)
        ours.append((seconds, json.loads(out)["data"]["best"]["value"]))
        theirs.append(tuple(map(float, run([sys.executable, "-c", BOOST, table, turn], work)[2].split())))
    middle = lambda pairs, at: statistics.median(pair[at] for pair in pairs)
    return middle(ours, 0), f"log_loss={middle(ours, 1):.5f}", middle(theirs, 0), f"log_loss={middle(theirs, 1):.5f}"


def main():
    print(f"# {os.cpu_count()} cores, {TURNS} turns, medians")
    for name, work in (("empty", empty), ("boost", boost)):
        if works and name not in works:
            continue
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as place:
            ours, found, theirs, other = work(pathlib.Path(place))
        print(f"{name},mlops,{ours:.3f},{found}\n{name},optuna,{theirs:.3f},{other}\n  ratio: time {ours / theirs:.3f}", flush=True)


main()
