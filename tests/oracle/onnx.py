"""Models exported as ONNX, run by the real onnxruntime, against `mlops predict`.

Usage: python tests/oracle/onnx.py PATH/TO/mlops [WORD]      (WORD: only cases whose name holds it)

Every kind of model and every step of a recipe is trained on example tables and on a made-up one, exported, and both answer
the table itself and 1,000 random rows with missing values and categories that training never saw. Numbers must agree to
1e-5 (absolute for probabilities and scores, relative for the rest), labels, clusters and flags exactly. Prints the worst
difference of each case; exits with 1 when one is too large, and says so and exits with 0 when onnxruntime is missing.
"""

import datetime
import json
import math
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

try:
    import csv

    import numpy
    import onnxruntime
except ImportError as missing:
    print(f"skipped: onnx (no {missing.name})")
    sys.exit(0)

MOST = 1e-5
ROOT = Path(__file__).resolve().parents[2]
RANDOM_ROWS = 1000
ROWS_MAX = 2000


class Project:
    """A folder with one ingested table."""

    def __init__(self, mlops, folder, name, rows, *words):
        self.mlops, self.folder = mlops, folder
        self.columns, self.rows = rows[0], rows[1:]
        folder.mkdir()
        write(folder / f"{name}.csv", self.columns, self.rows)
        self.run("init")
        self.run("ingest", f"{name}.csv", *words)

    def run(self, *words, fails=False):
        done = subprocess.run([self.mlops, *words], cwd=self.folder, capture_output=True, text=True)
        if (done.returncode != 0) != fails:
            raise RuntimeError(f"mlops {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def train(self, words, steps=None):
        (self.folder / "mlops.toml").write_text("" if steps is None else f"[transform]\nsteps = [{', '.join(steps)}]\n")
        self.run("train", *words)

    def compare(self, gaps):
        """Worst difference, over the table and random rows."""
        self.run("export", "run:last", "--format", "onnx", "-o", "model.onnx", "--force")
        session = onnxruntime.InferenceSession(self.folder / "model.onnx", providers=["CPUExecutionProvider"])
        whole = self.rows[:: max(1, len(self.rows) // ROWS_MAX)]
        worst = 0.0
        for rows in (whole, self.random(gaps)):
            write(self.folder / "rows.csv", self.columns, rows)
            self.run("predict", "run:last", "rows.csv", "-o", "scored.csv")
            with open(self.folder / "scored.csv", newline="") as file:
                scored = list(csv.DictReader(file))
            worst = max(worst, apart(session, self.fed(session, rows), scored, len(self.columns)))
            # One row alone, which onnxruntime adds up in another way.
            worst = max(worst, apart(session, self.fed(session, rows[:1]), scored[:1], len(self.columns)))
        return worst

    def fed(self, session, rows):
        fed = {}
        for given in session.get_inputs():
            at = self.columns.index(given.name)
            values = [row[at] for row in rows]
            if given.type == "tensor(string)":
                made = numpy.array(values, dtype=object)
            elif given.type == "tensor(int64)":
                made = numpy.array([v.rstrip("Z") or "NaT" for v in values], "datetime64[us]").astype("int64")
            else:
                made = numpy.array([number(value) for value in values], dtype=float)
            fed[given.name] = made.reshape(-1, 1)
        return fed

    def random(self, gaps):
        chance = random.Random(len(self.rows))
        columns = [list(column) for column in zip(*self.rows)]

        def one(column):
            value = chance.choice(column)
            draw = chance.random()
            if gaps and draw < 0.1:
                return ""
            if draw < 0.2:
                return strange(value, chance)
            return value

        return [[one(column) for column in columns] for _ in range(RANDOM_ROWS)]


def strange(value, chance):
    """A value that training never saw, of the same type."""
    if value in ("", "true", "false"):
        return value
    try:
        float(value)
    except ValueError:
        if value[:4].isdigit() and value[4:5] == "-":
            moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=chance.uniform(-4e9, 4e9))
            return moment.isoformat(timespec="microseconds") + "Z" if "T" in value else moment.date().isoformat()
        return chance.choice(["never seen", value + "?", "&", "\\", "ß é"])
    if "." in value or "e" in value:
        return repr(float(value) * chance.choice([1 + 1e-12, 0.5, 1.001, -3.0, 100.0]))
    return str(int(value) + chance.choice([-1, 1, 7]))


def number(text):
    return {"": math.nan, "true": 1.0, "false": 0.0}.get(text) if text in ("", "true", "false") else float(text)


def write(path, columns, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def apart(session, fed, scored, columns):
    """Worst difference between the answers of a session and those that were written behind `columns` columns."""
    outputs = dict(zip([output.name for output in session.get_outputs()], session.run(None, fed)))
    for name, made in outputs.items():
        assert len(made) == len(scored), (name, made.shape, len(scored))
    names = list(scored[0])[columns:]
    wanted = [[row[name] for name in names] for row in scored]
    first, rest = [row[0] for row in wanted], numpy.array([[float(v) for v in row[1:]] for row in wanted])
    if "prediction" in outputs:
        made, truth = outputs["prediction"].ravel(), numpy.array([float(value) for value in first])
        return worst(made, truth, relative=True)
    if "label" in outputs:
        same(outputs["label"], first)
        return worst(outputs["probabilities"], rest)
    if "cluster" in outputs:
        same(outputs["cluster"], first)
        return worst(outputs["distance"], rest.ravel(), relative=True)
    same([str(value).lower() for value in outputs["anomaly"].tolist()], first)
    return worst(outputs["score"], rest.ravel())


def worst(made, truth, relative=False):
    assert numpy.isfinite(made).all(), f"{(~numpy.isfinite(made)).sum()} answers are not finite"
    away = numpy.abs(made - truth)
    return float((away / numpy.maximum(1.0, numpy.abs(truth)) if relative else away).max())


def same(made, wanted):
    wrong = [at for at, (one, other) in enumerate(zip(made, wanted)) if str(one) != other]
    assert (
        not wrong
    ), f"{len(wrong)} labels differ, the first in row {wrong[0]}: {made[wrong[0]]} and {wanted[wrong[0]]}"


def read(name):
    with open(ROOT / "examples" / name / "data" / f"{name}.csv", newline="") as file:
        return [[value if value != "NA" else "" for value in row] for row in csv.reader(file)]


def flights():
    path = ROOT / "examples" / "flights" / "data" / "flights.csv.zip"
    with zipfile.ZipFile(path) as packed, packed.open(packed.namelist()[0]) as file:
        # The header, and every 90th row.
        lines = [line.decode() for at, line in enumerate(file) if at == 0 or at % 90 == 1]
    return [[value if value != "NA" else "" for value in row] for row in csv.reader(lines)]


def mixed():
    """Every type there is, with gaps, and two targets."""
    chance = random.Random(7)
    rows = [["small", "large", "count", "flag", "color", "city", "when", "day", "grade", "worth", "kind"]]
    colors = ["red", "green", "blue", "a&b", "c\\d", "ü é", "x y"]
    for _ in range(900):
        small, large = chance.gauss(0, 1), math.exp(chance.gauss(3, 2))
        count, flag = chance.randrange(0, 40), chance.random() < 0.4
        color, city = chance.choice(colors), f"city {int(chance.paretovariate(0.7)) % 60}"
        moment = datetime.datetime(2019, 11, 25) + datetime.timedelta(seconds=chance.uniform(-4e7, 4e7))
        grade = chance.choice("ABC")
        worth = (
            3 * small
            + math.log(large)
            + count / 10
            + 2 * flag
            + colors.index(color)
            + moment.month / 3
            + chance.gauss(0, 0.5)
        )
        cells = [
            repr(small),
            repr(large),
            count,
            str(flag).lower(),
            color,
            city,
            moment.isoformat() + "Z",
            moment.date().isoformat(),
            grade,
        ]
        cells = [str(cell) if chance.random() > 0.06 else "" for cell in cells]
        rows.append([*cells, repr(worth), str(int(worth > 7) + int(worth > 11))])
    return rows


# Recipe steps, each tried with a linear model, which needs numbers without gaps, and where that says nothing with trees.
NUMBERS = '["small", "large", "count"]'
FILL = f'{{ op = "impute", columns = "numeric", strategy = "median" }}'
REST = [
    FILL,
    '{ op = "one_hot", columns = "categorical" }',
    '{ op = "dates", columns = "time", parts = ["month", "weekday"] }',
    '{ op = "impute", columns = "numeric", strategy = "constant", value = -1 }',
    '{ op = "scale", columns = "numeric" }',
]
STEPS = {
    "impute_mean": [f'{{ op = "impute", columns = "numeric", strategy = "mean", indicator = true }}'],
    "impute_mode": ['{ op = "impute", columns = "all", strategy = "mode", indicator = true }'],
    "impute_constant": ['{ op = "impute", columns = ["color"], strategy = "constant", value = "none" }'],
    "impute_time": ['{ op = "impute", columns = ["when"], strategy = "constant", value = "2020-02-29" }'],
    "missing": ['{ op = "missing", columns = ["small", "city", "when"] }'],
    "scale_min_max": [f'{{ op = "scale", columns = {NUMBERS}, method = "min_max", range = [-1, 3] }}'],
    "scale_robust": [f'{{ op = "scale", columns = {NUMBERS}, method = "robust" }}'],
    "scale_max_abs": [f'{{ op = "scale", columns = {NUMBERS}, method = "max_abs" }}'],
    "quantile_uniform": [f'{{ op = "quantile", columns = {NUMBERS} }}'],
    "quantile_normal": [f'{{ op = "quantile", columns = {NUMBERS}, output = "normal", quantiles = 50 }}'],
    "power_yeo_johnson": [f'{{ op = "power", columns = {NUMBERS} }}'],
    "power_box_cox": ['{ op = "power", columns = ["large"], method = "box_cox" }'],
    "clip": [f'{{ op = "clip", columns = {NUMBERS}, quantiles = [0.1, 0.9] }}'],
    "log": [
        '{ op = "log", columns = ["large"], method = "log", base = 10 }',
        '{ op = "log", columns = ["count"] }',
        '{ op = "log", columns = ["small"], method = "signed" }',
    ],
    "bin": [
        '{ op = "bin", columns = ["large"], bins = 7 }',
        '{ op = "bin", columns = ["small"], edges = [-1, 0, 0.5] }',
        '{ op = "bin", columns = ["count"], method = "tree", encode = "one_hot" }',
    ],
    "dates": [
        '{ op = "dates", columns = ["when"], since = "2020-01-01", parts = ["year", "quarter", "month", "week", "day", "weekday", "day_of_year", "hour", "minute", "second", "time_of_day", "epoch", "is_weekend", "is_month_start", "is_month_end"] }'
    ],
    "dates_cyclic": [
        '{ op = "dates", columns = "time", cyclic = true, parts = ["quarter", "month", "week", "day", "weekday", "day_of_year", "hour", "minute", "second", "time_of_day"] }'
    ],
    "cyclic": ['{ op = "cyclic", columns = ["count"], period = 24 }'],
    "rare": ['{ op = "rare", columns = ["city"], share = 0.02 }'],
    "one_hot": [
        '{ op = "one_hot", columns = ["city"], max = 8, drop_first = true }',
        '{ op = "one_hot", columns = ["count"] }',
    ],
    "ordinal": [
        '{ op = "ordinal", columns = ["grade"], order = ["C", "A"] }',
        '{ op = "ordinal", columns = ["city"] }',
    ],
    "frequency": [
        '{ op = "frequency", columns = ["city", "count"] }',
        '{ op = "frequency", columns = ["color"], measure = "count" }',
    ],
    "target": ['{ op = "target", columns = ["city", "count"] }'],
    "interact": [
        '{ op = "interact", columns = ["color", "grade"] }',
        '{ op = "interact", columns = ["small", "count"] }',
    ],
    "polynomial": [f'{{ op = "polynomial", columns = {NUMBERS}, degree = 3 }}'],
    "ratio": ['{ op = "ratio", numerator = "large", denominator = "count", name = "share" }'],
    "pca": [FILL, f'{{ op = "pca", columns = {NUMBERS}, components = 2, whiten = true, keep = true }}'],
    "kmeans": [FILL, f'{{ op = "kmeans", columns = {NUMBERS}, clusters = 4 }}'],
    "select": [FILL, '{ op = "select", by = "mutual_information", keep = 5 }'],
    "rename": ['{ op = "rename", names = { small = "prediction" } }'],
    "cast_text": [
        '{ op = "cast", columns = ["count", "flag"], to = "text" }',
        '{ op = "interact", columns = ["count", "flag"] }',
    ],
    "cast_number": [
        '{ op = "cast", columns = ["when"], to = "number" }',
        '{ op = "cast", columns = ["small"], to = "boolean" }',
    ],
    "cast_time": ['{ op = "cast", columns = ["large"], to = "time" }'],
}
REFUSED = {
    "hash": ['{ op = "hash", columns = ["city"], width = 8 }'],
    "text": ['{ op = "text", columns = ["city"], width = 8 }'],
    "tfidf": ['{ op = "tfidf", columns = ["city"] }'],
    "knn": ['{ op = "impute", columns = "numeric", strategy = "knn" }'],
    "expression": ['{ op = "expression", name = "twice", sql = "small * 2" }'],
}
CLASSES = {
    kind: [] for kind in ["boost", "forest", "extra_trees", "tree", "logistic", "svm", "knn", "naive_bayes", "baseline"]
}
NUMBER = {
    kind: []
    for kind in [
        "boost",
        "forest",
        "extra_trees",
        "tree",
        "linear",
        "ridge",
        "lasso",
        "elastic_net",
        "svm",
        "knn",
        "baseline",
    ]
}
SET = lambda *pairs: [word for pair in pairs for word in ("--set", pair)]
FEW = SET("trees=30")


def cases(mlops, folder):
    """Name, project, words of `train`, recipe steps, and whether random rows have gaps."""
    penguins = Project(mlops, folder / "penguins", "penguins", read("penguins"), "--target", "species")
    titanic = Project(mlops, folder / "titanic", "titanic", read("titanic"), "--target", "survived")
    bikes = Project(
        mlops,
        folder / "bikeshare",
        "bikeshare",
        read("bikeshare")[:3000],
        "--target",
        "bikers",
        "--ignore",
        "casual,registered",
    )
    planes = Project(mlops, folder / "flights", "flights", flights(), "--target", "arr_delay", "--task", "regression")
    made = Project(mlops, folder / "mixed", "mixed", mixed(), "--target", "worth", "--ignore", "kind")
    kinds = Project(mlops, folder / "kinds", "mixed", mixed(), "--target", "kind", "--ignore", "worth")
    groups = Project(mlops, folder / "groups", "mixed", mixed(), "--task", "clustering", "--ignore", "worth,kind")
    odd = Project(mlops, folder / "odd", "mixed", mixed(), "--task", "anomaly", "--ignore", "worth,kind")
    trees = ["boost", "forest", "extra_trees"]
    for project, kinds_of in (
        (penguins, CLASSES),
        (titanic, CLASSES),
        (kinds, CLASSES),
        (bikes, NUMBER),
        (made, NUMBER),
        (planes, ["boost", "ridge"]),
    ):
        for kind in kinds_of:
            words = ["--model", kind, *(FEW if kind in trees else [])]
            yield f"{project.folder.name} {kind}", project, words, None, True
    for objective in ("absolute", "huber", "quantile", "poisson"):
        yield f"bikeshare boost {objective}", bikes, [
            "--model",
            "boost",
            *FEW,
            *SET(f"objective={objective}"),
        ], None, True
    yield "bikeshare poisson", bikes, ["--model", "poisson"], None, True
    for kernel in ("linear", "poly"):
        yield f"penguins svm {kernel}", penguins, ["--model", "svm", *SET(f"kernel={kernel}")], None, True
    yield "mixed knn by distance", made, ["--model", "knn", *SET("weights=distance")], None, True
    yield "kinds knn by distance", kinds, ["--model", "knn", *SET("weights=distance")], None, True
    for method in ("platt", "isotonic"):
        for project in (titanic, penguins):
            for kind in ("boost", "forest"):
                words = ["--model", kind, *FEW, "--calibrate", method]
                yield f"{project.folder.name} {kind} {method}", project, words, None, True
    yield "titanic threshold", titanic, ["--model", "logistic", "--threshold", "f1"], None, True
    for project, models in ((titanic, "boost,forest,logistic"), (penguins, "boost,logistic"), (bikes, "boost,ridge")):
        words = ["--auto", "--trials", "4", "--models", models]
        yield f"{project.folder.name} auto", project, words, None, True
    yield "groups kmeans", groups, ["--model", "kmeans"], None, True
    yield "groups baseline", groups, ["--model", "baseline"], None, True
    yield "odd isolation_forest", odd, ["--model", "isolation_forest", *SET("contamination=0.05")], None, True
    yield "odd baseline", odd, ["--model", "baseline"], None, True
    for name, steps in STEPS.items():
        yield f"step {name}", made, ["--model", "ridge"], [*steps, *REST], True
        yield f"step {name} boost", kinds, ["--model", "boost", *SET("trees=10")], [*steps, *REST[1:3]], True
    yield "step category numbers", made, ["--model", "boost", *FEW], [
        '{ op = "category", columns = ["count", "color", "city", "grade"] }',
        *REST[1:3],
    ], True


def main():
    mlops = str(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/mlops").resolve())
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    onnxruntime.set_default_logger_severity(3)
    bad, all_of_them = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for name, project, words, steps, gaps in cases(mlops, Path(folder)):
            if word not in name:
                continue
            all_of_them += 1
            try:
                project.train(words, steps)
                away = project.compare(gaps)
                fine = away <= MOST
                print(f"onnx {name:<32} {away:9.2e}{'' if fine else '  TOO FAR'}", flush=True)
            except Exception as error:  # one case must not hide the others
                fine = False
                print(f"onnx {name:<32} FAILED: {str(error)[:600]}", flush=True)
            if not fine:
                bad.append(name)
        for name, steps in REFUSED.items():
            if word not in f"refused {name}":
                continue
            project = Project(
                mlops, Path(folder) / f"refused_{name}", "mixed", mixed(), "--target", "worth", "--ignore", "kind"
            )
            project.train(["--model", "ridge"], [*steps, *REST])
            said = project.run("export", "run:last", "--format", "onnx", "-o", "model.onnx", "--force", fails=True)
            print(f"onnx refused {name:<24} {json.dumps(said.stderr.strip().splitlines()[:1])}", flush=True)
    print(
        f"onnx: {all_of_them - len(bad)} of {all_of_them} cases agree to {MOST:g} with onnxruntime {onnxruntime.__version__}"
    )
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
