"""Models that LightGBM, XGBoost and scikit-learn have trained, imported: predictions agree with the library to 1e-5.

Usage: python import.py [PATH/TO/mlops]; without a path, MLOPS_BINARY, else target/release/mlops. Every model is asked for all
its training rows and for 1,000 random rows with missing values and unseen categories. What is not installed is said and
skipped. Versions that were tried: LightGBM 4.7.0, XGBoost 2.1.4, scikit-learn 1.9.1, skl2onnx 1.20.0, onnxruntime 1.32.0.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

TOLERANCE = 1e-5
RANDOM_ROWS = 1000

try:
    import numpy as np
    import pandas as pd
except ImportError as missing:
    print(f"skipped: imported models ({missing})")
    sys.exit(0)

BINARY = pathlib.Path(
    sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MLOPS_BINARY", "target/release/mlops")).resolve()


class Project:
    """A folder with a repository."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.run("init")

    def run(self, *words):
        done = subprocess.run([BINARY, *words, "--json"], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"mlops {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)["data"]

    def predict(self, model, frame):
        frame.to_csv(self.folder / "asked.csv", index=False)
        self.run("predict", model, "asked.csv", "-o", "answers.csv")
        answers = pd.read_csv(self.folder / "answers.csv")
        shares = [name for name in answers.columns if name.startswith("probability_")]
        return answers[shares or ["prediction"]].to_numpy(float)


def table(rng, rows):
    """Numbers with gaps and a category, and targets that depend on all of them."""
    frame = pd.DataFrame({
        "size": rng.normal(50, 20, rows).round(3),
        "age": rng.integers(0, 90, rows).astype(float),
        "wide": np.exp(rng.normal(0, 3, rows)).round(6),
        "color": pd.Categorical(rng.choice(["amber", "blue", "cyan", "red"], rows), ["amber", "blue", "cyan", "red"]),
    })
    score = frame["size"] / 20 - (frame["color"] == "red") * 2 + np.log1p(frame["wide"]) * (frame["age"] > 40)
    frame.loc[rng.random(rows) < 0.1, "size"] = np.nan
    frame.loc[rng.random(rows) < 0.05, "wide"] = np.nan
    noisy = score + rng.normal(0, 0.5, rows)
    targets = {
        "number": noisy.round(4),
        "two": pd.Series(np.where(noisy > noisy.median(), "yes", "no")),
        "three": pd.Series(np.array(["high", "low", "mid"])[np.digitize(noisy, noisy.quantile([0.3, 0.7]))]),
    }
    return frame, targets


def random_rows(rng, frame):
    """Rows with missing values, values beyond all that was seen, and categories that were not."""
    rows = frame.sample(RANDOM_ROWS, replace=True, random_state=3).reset_index(drop=True)
    for name in ("size", "age", "wide"):
        rows[name] = rows[name] * rng.choice([1, 1, 1, -1, 1000, 0.001], RANDOM_ROWS)
        rows.loc[rng.random(RANDOM_ROWS) < 0.2, name] = np.nan
    rows["color"] = rows["color"].astype(object)
    rows.loc[rng.random(RANDOM_ROWS) < 0.1, "color"] = "violet"
    rows.loc[rng.random(RANDOM_ROWS) < 0.1, "color"] = np.nan
    return rows


def check(name, found, wanted):
    wanted = np.asarray(wanted, float).reshape(len(found), -1)
    if wanted.shape[1] == 1 and found.shape[1] == 2:
        wanted = np.hstack([1 - wanted, wanted])
    worst = np.max(np.abs(found - wanted) / np.maximum(1, np.abs(wanted)))
    print(f"{name}: {len(found)} rows, largest difference {worst:.1e}")
    if not worst <= TOLERANCE:
        raise SystemExit(f"{name}: differs by {worst}")


def compare(project, name, frame, rng, answer, random=True):
    check(f"{name}, its rows", project.predict(name, frame), answer(frame))
    if random:
        asked = random_rows(rng, frame)
        check(f"{name}, random rows", project.predict(name, asked), answer(asked))


def ingest(project, frame, targets):
    for target, values in targets.items():
        frame.assign(target=values).to_csv(project.folder / f"{target}.csv", index=False)
        project.run("ingest", f"{target}.csv", "--target", "target",
                    "--task", {"number": "regression", "two": "binary", "three": "multiclass"}[target])


def categorical(frame, known):
    frame = frame.copy()
    frame["color"] = pd.Categorical(frame["color"], known)
    return frame


def lightgbm(project, frame, targets, rng):
    import lightgbm
    known = list(frame["color"].cat.categories)
    for target, objective in (("number", "regression"), ("number", "poisson"), ("two", "binary"), ("three", "multiclass")):
        values, names = targets[target], None
        if target != "number":
            names, values = np.unique(values, return_inverse=True)
        elif objective == "poisson":
            values = values - values.min()
        params = {"objective": objective, "verbose": -1, "num_threads": 1, "seed": 1, "num_class": 3 if target == "three" else 1}
        booster = lightgbm.train(params, lightgbm.Dataset(frame, values), 30)
        name = f"lightgbm_{objective}"
        booster.save_model(project.folder / f"{name}.txt")
        project.run("import", f"{name}.txt", "--as", name, "--data", target)
        compare(project, name, frame, rng, lambda asked: booster.predict(categorical(asked, known)))
        judged = project.run("evaluate", name, "--on", target)
        print(f"{name}: evaluated on {judged['rows']} rows")
    return "lightgbm_binary"


def xgboost(project, frame, targets, rng):
    import xgboost
    known = list(frame["color"].cat.categories)
    domain = ", ".join(f"'{value}'" for value in known)
    columns = "".join(f"[[column]]\nname = '{name}'\ntype = 'float'\n" for name in ("size", "age", "wide"))
    (project.folder / "inputs.toml").write_text(
        f"version = 1\n{columns}[[column]]\nname = 'color'\ntype = 'text'\ndomain = [{domain}]\n")
    for target, objective in (("number", "reg:squarederror"), ("two", "binary:logistic"), ("three", "multi:softprob")):
        values = targets[target]
        if target != "number":
            _, values = np.unique(values, return_inverse=True)
        params = {"objective": objective, "nthread": 1, "seed": 1, "max_depth": 4}
        if target == "three":
            params["num_class"] = 3
        matrix = xgboost.DMatrix(frame, values, enable_categorical=True)
        booster = xgboost.train(params, matrix, 30)
        name = f"xgboost_{target}"
        booster.save_model(project.folder / f"{name}.json")
        project.run("import", f"{name}.json", "--as", name, "--schema", "inputs.toml", "--data", target)

        def answer(asked):
            return booster.predict(xgboost.DMatrix(categorical(asked, known), enable_categorical=True))

        compare(project, name, frame, rng, answer)
        judged = project.run("evaluate", name, "--on", target)
        print(f"{name}: evaluated on {judged['rows']} rows")


def skl2onnx(project, frame, targets, rng):
    import onnxruntime
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    types = [(name, FloatTensorType([None, 1])) for name in ("size", "age", "wide")]
    types.append(("color", StringTensorType([None, 1])))
    plain = frame.assign(color=frame["color"].astype(str))
    models = {
        "logistic": (LogisticRegression(max_iter=500), "three"),
        "forest": (RandomForestClassifier(20, max_depth=6, random_state=1), "three"),
        "forest_regressor": (RandomForestRegressor(20, max_depth=6, random_state=1), "number"),
        "gradient": (GradientBoostingClassifier(n_estimators=20, random_state=1), "two"),
        "network": (MLPClassifier(hidden_layer_sizes=(16, 8), max_iter=80, random_state=1), "two"),
    }
    for kind, (model, target) in models.items():
        numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        features = ColumnTransformer([("numbers", numbers, ["size", "age", "wide"]),
                                      ("texts", OneHotEncoder(handle_unknown="ignore"), ["color"])])
        pipeline = make_pipeline(features, model)
        pipeline.fit(plain, targets[target])
        name = f"onnx_{kind}"
        data = convert_sklearn(pipeline, initial_types=types, target_opset=17).SerializeToString()
        (project.folder / f"{name}.onnx").write_bytes(data)
        project.run("import", f"{name}.onnx", "--as", name, "--data", target)
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

        def answer(asked):
            feed = {column: asked[[column]].to_numpy(np.float32) for column in ("size", "age", "wide")}
            feed["color"] = asked[["color"]].astype(object).where(asked[["color"]].notna(), "").to_numpy(object)
            last = session.run(None, feed)[-1]
            return [list(row.values()) for row in last] if isinstance(last, list) else last

        compare(project, name, frame, rng, answer)
        project.run("evaluate", name, "--on", target)


def serve(project, model, frame):
    """The server answers what `predict` answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([BINARY, "serve", model, "--port", str(port)], cwd=project.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        server.stdout.readline()
        rows = json.loads(frame.head(20).to_json(orient="records"))
        body = json.dumps({"dataframe_records": rows}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"content-type": "application/json"})
        started = time.monotonic()
        answers = json.loads(urllib.request.urlopen(request, timeout=20).read())["predictions"]
        labels = pd.read_csv(project.folder / "answers.csv")["prediction"].head(20).tolist()
        if [answer if not isinstance(answer, dict) else answer.get("prediction") for answer in answers] != labels:
            raise SystemExit(f"{model}: the server answers {answers}, predict {labels}")
        print(f"{model}: served {len(answers)} rows in {time.monotonic() - started:.3f} s")
    finally:
        server.terminate()
        server.wait()


def main():
    if not BINARY.is_file():
        print(f"skipped: imported models (there is no {BINARY})")
        return
    rng = np.random.default_rng(11)
    frame, targets = table(rng, 800)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder)
        ingest(project, frame, targets)
        for name, work in (("LightGBM", lightgbm), ("XGBoost", xgboost), ("skl2onnx", skl2onnx)):
            try:
                work(project, frame, targets, rng)
            except ImportError as missing:
                print(f"skipped: {name} ({missing})")
        models = {row["name"] for row in project.run("log", "--models")["models"]}
        for model in sorted({"lightgbm_binary", "onnx_logistic"} & models):
            project.predict(model, frame)
            serve(project, model, frame)


if __name__ == "__main__":
    main()
