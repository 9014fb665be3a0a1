"""`train --auto` beside defaults of LightGBM, scikit-learn and a search by FLAML: the same rows to learn from, the same test rows.

usage: automl.py MLOPS [--data FOLDER] [--tables penguins,titanic…] [--seeds 3] [--time 60s | --trials N] [--flaml] [--jobs N]
needs: pip install numpy pandas scikit-learn lightgbm     (--flaml: flaml[automl])
FOLDER has penguins.csv, titanic.csv, bikeshare.csv and flights.csv.zip; the other tables are scikit-learn's own or made here.
For each table and seed a fifth of the rows, stratified for classes, is set aside for testing; ours searches on the rest, peers
are fitted on all of the rest. One line a table, seed and tool: `table,seed,tool,metric,value,seconds`; then means over seeds,
and in how many tables ours is at least as good as the best of the defaults (FLAML apart).
"""
import argparse, json, os, pathlib, sys, tempfile, time, warnings

import numpy as np
import pandas as pd

from measure import run

warnings.filterwarnings("ignore")
arguments = argparse.ArgumentParser()
arguments.add_argument("mlops")
arguments.add_argument("--data", default=".")
arguments.add_argument("--tables", default="")
arguments.add_argument("--seeds", type=int, default=3)
arguments.add_argument("--first-seed", type=int, default=0)
arguments.add_argument("--time", default="60s")
arguments.add_argument("--trials", type=int)
arguments.add_argument("--jobs", type=int)
arguments.add_argument("--flaml", action="store_true")
arguments.add_argument("--no-peers", action="store_true")
arguments.add_argument("--threads", type=int, default=os.cpu_count())


def penguins(data):
    return pd.read_csv(data / "penguins.csv"), "species", "multiclass"


def titanic(data):
    return pd.read_csv(data / "titanic.csv"), "survived", "binary"


def bikeshare(data):
    return pd.read_csv(data / "bikeshare.csv").drop(columns=["casual", "registered"]), "bikers", "regression"


def flights(data):
    """What is known before a flight leaves and how late it leaves; whether it arrives more than a quarter of an hour late."""
    t = pd.read_csv(data / "flights.csv.zip")
    t = t[t.arr_delay.notna()].sample(50_000, random_state=1).reset_index(drop=True)
    t["late"] = np.where(t.arr_delay > 15, "yes", "no")
    return t.drop(columns=["arr_delay", "arr_time", "air_time", "year", "dep_time", "dep_delay"]), "late", "binary"


def bundled(name, task):
    def read(_):
        from sklearn import datasets
        b = getattr(datasets, f"load_{name}")(as_frame=True)
        t = b.data.copy()
        t.columns = [str(c).replace(" ", "_").replace("(", "").replace(")", "") for c in t.columns]
        t["y"] = [f"c{v}" for v in b.target] if task != "regression" else b.target
        return t, "y", task
    return read


def friedman(_):
    from sklearn.datasets import make_friedman1
    x, y = make_friedman1(1500, 12, noise=2.0, random_state=3)
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(12)]).assign(y=y), "y", "regression"


def imbalanced(_):
    """Six percent of the rows positive, some features missing, some categories."""
    from sklearn.datasets import make_classification
    x, y = make_classification(6000, 20, n_informative=8, n_clusters_per_class=3, weights=[0.94], flip_y=0.03, random_state=4)
    t = pd.DataFrame(x, columns=[f"x{i}" for i in range(20)])
    rng = np.random.default_rng(4)
    t = t.mask(rng.random(t.shape) < 0.05)
    t["city"] = pd.cut(t.x3.fillna(0) + rng.normal(size=len(t)), 12, labels=[f"city_{i}" for i in range(12)]).astype(str)
    return t.assign(y=np.where(y == 1, "yes", "no")), "y", "binary"


def sparse_linear(_):
    """More noise than signal in a few hundred rows: what linear models are made for."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 60))
    y = x[:, :6] @ np.array([3, -2, 1.5, 1, -1, 0.5]) + rng.normal(size=400) * 3
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(60)]).assign(y=y), "y", "regression"


def levels(_):
    """Thousands of rows whose target hangs on categories of many levels."""
    rng = np.random.default_rng(6)
    shop, item, day = rng.integers(0, 300, 12000), rng.integers(0, 40, 12000), rng.integers(0, 7, 12000)
    effect = rng.normal(size=300), rng.normal(size=40), rng.normal(size=7)
    z = effect[0][shop] + effect[1][item] + effect[2][day] * effect[1][item] + rng.normal(size=12000) * 0.5
    return pd.DataFrame({"shop": [f"s{v}" for v in shop], "item": [f"i{v}" for v in item], "day": [f"d{v}" for v in day],
                         "size": rng.normal(size=12000), "y": np.exp(z / 2)}), "y", "regression"


TABLES = {"penguins": penguins, "titanic": titanic, "bikeshare": bikeshare, "flights": flights,
          "breast_cancer": bundled("breast_cancer", "binary"), "wine": bundled("wine", "multiclass"),
          "diabetes": bundled("diabetes", "regression"), "digits": bundled("digits", "multiclass"),
          "friedman": friedman, "imbalanced": imbalanced, "sparse_linear": sparse_linear, "levels": levels}
METRIC = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


def score(task, truth, answer, classes):
    from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
    if task == "binary":
        return roc_auc_score(truth == classes[1], answer[:, 1])
    return log_loss(truth, answer, labels=classes) if task == "multiclass" else root_mean_squared_error(truth, answer)


def ours(given, table, target, task, seed, place):
    table.to_csv(place / "t.csv", index=False)
    (place / "mlops.toml").write_text(f'[project]\nseed = {seed}\n[split]\nmethod = "column"\ncolumn = "part"\n')
    run([given.mlops, "init"], place)
    run([given.mlops, "ingest", "t.csv", "--target", target, "--task", task], place)
    budget = ["--trials", given.trials] if given.trials else ["--time", given.time]
    jobs = ["--jobs", given.jobs] if given.jobs else []
    seconds, _, out = run([given.mlops, "train", "--auto", *budget, *jobs, "--json"], place)
    trained = json.loads(out)["data"]
    judged = json.loads(run([given.mlops, "evaluate", "--json"], place)[2])["data"]["metrics"]
    members = " ".join(f"{e['name']}={e['weight']:.2f}" for e in trained["auto"]["leaderboard"] if e["weight"] > 0)
    print(f"#   {trained['auto']['trials']} trials, {trained['bytes'] / 1e6:.1f} MB, out of fold {trained['auto']['score']:.5f}: {members}")
    return judged[METRIC[task]], seconds


def peers(task, train, test, target, seed, threads):
    """Defaults of each tool, with the usual preparation for it."""
    import lightgbm
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
    text = make_column_selector(dtype_include=["category"])
    numbers = make_column_selector(dtype_exclude=["category"])
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    linear = lambda model: make_pipeline(make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", max_categories=100), text)), model)
    forest = lambda model: make_pipeline(make_column_transformer((SimpleImputer(strategy="median"), numbers), (codes, text)), model)
    few = all(train[c].nunique() < 255 for c in train.columns if train[c].dtype == "category")
    boosting = lambda model: model if few else forest(model)
    categories = {"categorical_features": "from_dtype"} if few else {}
    regression = task == "regression"
    models = {
        "lightgbm": (lightgbm.LGBMRegressor if regression else lightgbm.LGBMClassifier)(n_jobs=threads, verbose=-1, random_state=seed),
        "hist_gradient_boosting": boosting((HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier)(random_state=seed, **categories)),
        "random_forest": forest((RandomForestRegressor if regression else RandomForestClassifier)(n_jobs=threads, random_state=seed)),
        "linear": linear(LinearRegression() if regression else LogisticRegression(max_iter=1000)),
    }
    if regression:
        models["ridge"] = linear(Ridge())
    x, y = train.drop(columns=[target]), train[target].to_numpy()
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(x, y)
        z = test.drop(columns=[target])
        answer = model.predict(z) if regression else model.predict_proba(z)
        yield name, score(task, test[target].to_numpy(), answer, None if regression else model.classes_), time.perf_counter() - start


def flaml(given, task, train, test, target, seed):
    import logging
    from flaml import AutoML
    logging.getLogger("flaml").setLevel(logging.ERROR)
    budget = float(given.time.rstrip("s"))
    start = time.perf_counter()
    search = AutoML()
    search.fit(train.drop(columns=[target]), train[target], task="regression" if task == "regression" else "classification",
               metric=METRIC[task], time_budget=budget, seed=seed, n_jobs=given.threads, verbose=0)
    x = test.drop(columns=[target])
    answer = search.predict(x) if task == "regression" else search.predict_proba(x)
    print(f"#   flaml chose {search.best_estimator}")
    return score(task, test[target].to_numpy(), answer, getattr(search, "classes_", None)), time.perf_counter() - start


def parts(table, target, task, seed):
    from sklearn.model_selection import train_test_split
    rows = np.arange(len(table))
    kept, test = train_test_split(rows, test_size=0.2, random_state=seed, stratify=None if task == "regression" else table[target])
    part = np.full(len(table), "train", dtype=object)
    part[test] = "test"
    part[np.random.default_rng(seed).permutation(kept)[: len(kept) // 5]] = "validation"
    return part


def main():
    given = arguments.parse_args()
    given.mlops = os.path.abspath(given.mlops)
    data, wins, beaten, known = pathlib.Path(given.data), 0, 0, 0
    print(f"# {os.cpu_count()} cores, {given.trials or given.time}, {given.seeds} seeds")
    for name in given.tables.split(",") if given.tables else TABLES:
        table, target, task = TABLES[name](data)
        for column in table.columns:
            if column != target and not pd.api.types.is_numeric_dtype(table[column]):
                table[column] = table[column].astype("category")
        values = {}

        def say(tool, seed, value, seconds):
            values.setdefault(tool, []).append((value, seconds))
            print(f"{name},{seed},{tool},{METRIC[task]},{value:.5f},{seconds:.1f}", flush=True)

        for seed in range(given.first_seed, given.first_seed + given.seeds):
            part = parts(table, target, task, seed)
            with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as place:
                say("mlops", seed, *ours(given, table.assign(part=part), target, task, seed, pathlib.Path(place)))
            train, test = table[part != "test"], table[part == "test"]
            if not given.no_peers:
                for tool, value, seconds in peers(task, train, test, target, seed, given.threads):
                    say(tool, seed, value, seconds)
            if given.flaml:
                say("flaml", seed, *flaml(given, task, train, test, target, seed))
        sign = 1 if task == "binary" else -1
        means = {tool: np.mean([value for value, _ in all]) for tool, all in values.items()}
        print(f"  {name} ({METRIC[task]}, mean of {given.seeds}):", *(f"{tool} {mean:.5f} ({np.mean([s for _, s in values[tool]]):.1f} s)"
              for tool, mean in sorted(means.items(), key=lambda one: -sign * one[1])), sep="\n    ", flush=True)
        defaults = [sign * mean for tool, mean in means.items() if tool not in ("mlops", "flaml")]
        known += 1
        wins += not defaults or sign * means["mlops"] >= max(defaults)
        beaten += "flaml" in means and sign * means["mlops"] > sign * means["flaml"]
    print(f"at least as good as the best default: {wins} of {known}" + (f"; better than FLAML: {beaten} of {known}" if given.flaml else ""))


if __name__ == "__main__":
    main()
