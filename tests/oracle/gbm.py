"""Models of trees exported as LightGBM text and XGBoost JSON, run by the real libraries, against `mlops predict`.

Usage: python tests/oracle/gbm.py PATH/TO/mlops [WORD]      (WORD: only cases whose name holds it)

Every kind of trees and every objective is trained on the tables of `examples/`; both sides answer the table itself and 1,000
random rows with missing values and categories that training never saw. Numbers must agree to 1e-5, relative above 1. Prints
the worst difference of each case; exits with 1 when one is too large. A library that is missing is said and left out.
"""

import csv
import json
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

missing = []
try:
    import numpy
    import pandas
except ImportError as error:
    print(f"skipped: gbm (no {error.name})")
    sys.exit(0)
try:
    import lightgbm
except ImportError:
    lightgbm = None
    missing.append("lightgbm")
try:
    import xgboost
except ImportError:
    xgboost = None
    missing.append("xgboost")

MOST = 1e-5
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RANDOM_ROWS = 1000
FLIGHTS_ROWS = 5000

FOREST = ["--set", "trees=12"]
BOOST = ["--set", "trees=40"]
# What the auto recipe does not do: makes features, so that the exported file does not read raw columns.
STEPS = """[transform]
steps = [
  { op = "impute", columns = "numeric", strategy = "median", indicator = true },
  { op = "one_hot", columns = ["island"] },
  { op = "category", columns = ["sex"] },
]
"""
# table, name of the case, words of `train`
CASES = [
    ("penguins", "steps", ["--model", "boost", *BOOST]),
    ("penguins", "boost", ["--model", "boost", *BOOST]),
    ("penguins", "forest", ["--model", "forest", *FOREST]),
    ("penguins", "tree", ["--model", "tree"]),
    ("titanic", "boost", ["--model", "boost", *BOOST]),
    ("titanic", "boost platt", ["--model", "boost", "--calibrate", "platt", *BOOST]),
    ("titanic", "forest", ["--model", "forest", *FOREST]),
    ("titanic", "extra_trees", ["--model", "extra_trees", *FOREST]),
    ("bikeshare", "forest", ["--model", "forest", *FOREST]),
    *(
        ("bikeshare", f"boost {objective}", ["--model", "boost", "--set", f"objective={objective}", *BOOST])
        for objective in ["squared", "absolute", "huber", "quantile", "poisson"]
    ),
    ("flights", "boost", ["--model", "boost", *BOOST]),
    ("flights", "extra_trees", ["--model", "extra_trees", *FOREST]),
    ("flights", "dates", ["--model", "boost", *BOOST]),
]
TARGETS = {"penguins": "species", "titanic": "survived", "bikeshare": "bikers", "flights": "arr_delay"}
# What would tell the answer.
IGNORED = {"bikeshare": ["casual", "registered"], "flights": []}


def table(name):
    """Column names and rows of text."""
    folder = EXAMPLES / name / "data"
    if name == "flights":
        with zipfile.ZipFile(folder / "flights.csv.zip") as archive, archive.open(archive.namelist()[0]) as file:
            lines = [file.readline().decode() for _ in range(60 * FLIGHTS_ROWS)]
        rows = list(csv.reader(lines[:1] + lines[1::60]))
        at = rows[0].index(TARGETS[name])
        rows = [row for row in rows if row[at] not in ("", "NA")]
    else:
        with open(next(folder.glob("*.csv")), newline="") as file:
            rows = list(csv.reader(file))
    kept = [at for at, column in enumerate(rows[0]) if column not in IGNORED.get(name, [])]
    rows = [[row[at] for at in kept] for row in rows]
    return rows[0], rows[1:]


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_missing(text):
    return text in ("", "NA")


def random_rows(rows):
    """Columns drawn apart from each other, with gaps and words that nobody has seen."""
    chance = random.Random(len(rows))
    columns = [list(column) for column in zip(*rows)]

    def one(column):
        draw, value = chance.random(), chance.choice(column)
        if draw < 0.1:
            return ""
        if draw < 0.2:
            if not is_number(value) and not is_missing(value) and value[:4].isdigit() is False:
                return chance.choice(["never seen", value + "?"])
            if is_number(value) and "." in value:
                return repr(float(value) * chance.choice([0.5, 1.001, -3.0, 100.0]))
        return value

    return [[one(column) for column in columns] for _ in range(RANDOM_ROWS)]


def write(path, columns, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


class Project:
    """A folder with one ingested table."""

    def __init__(self, mlops, folder, name):
        self.mlops, self.folder, self.name = mlops, folder, name
        self.columns, self.rows = table(name)
        folder.mkdir()
        write(folder / f"{name}.csv", self.columns, self.rows)
        self.run("init")
        self.run("ingest", f"{name}.csv", "--target", TARGETS[name])

    def run(self, *words):
        done = subprocess.run([self.mlops, *words], cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"mlops {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")

    def frame(self, spec):
        """What the exported file reads of `rows.csv`."""
        columns = spec["columns"]
        if spec["reads"] == "features":
            self.run("predict", "run:last", "rows.csv", "-o", "features.csv", "--features")
            made = pandas.read_csv(self.folder / "features.csv", low_memory=False)
            return made[[column["feature"] for column in columns]].astype(float)
        given = pandas.read_csv(self.folder / "rows.csv", dtype=str, keep_default_na=False, na_values=["", "NA"])
        frame = pandas.DataFrame(index=given.index)
        for column in columns:
            values = given[column["from"]]
            if "levels" in column:
                if not isinstance(column["levels"][0], str):
                    values = pandas.to_numeric(values)
                known = values.where(values.isin(column["levels"]))
                frame[column["name"]] = pandas.Categorical(known, categories=column["levels"])
            elif column["raw_type"] == "boolean":
                frame[column["name"]] = values.str.lower().map({"true": 1.0, "false": 0.0}).fillna(pandas.to_numeric(values, errors="coerce"))
            else:
                frame[column["name"]] = pandas.to_numeric(values)
        return frame

    def expected(self, spec):
        """Answers of `mlops predict`, in the shape in which the libraries answer."""
        self.run("predict", "run:last", "rows.csv", "-o", "scored.csv")
        scored = pandas.read_csv(self.folder / "scored.csv", low_memory=False)
        classes = spec["classes"]
        if not classes:
            return scored["prediction"].to_numpy(float)
        shares = scored[[f"probability_{label}" for label in classes]].to_numpy(float)
        return shares[:, 1] if len(classes) == 2 else shares

    def compare(self, library):
        """Worst difference, over the table and random rows."""
        file = {"lightgbm": "model.txt", "xgboost": "model.json"}[library]
        self.run("export", "run:last", "--format", library, "-o", file, "--force")
        spec = json.loads((self.folder / f"{file}.features.json").read_text())
        ask = {"lightgbm": ask_lightgbm, "xgboost": ask_xgboost}[library](self.folder / file, spec)
        worst = 0.0
        for rows in (self.rows, random_rows(self.rows)):
            write(self.folder / "rows.csv", self.columns, rows)
            expected = self.expected(spec)
            got = ask(self.frame(spec))
            assert got.shape == expected.shape, f"{library} answers {got.shape}, mlops {expected.shape}"
            apart = numpy.abs(got - expected) / numpy.maximum(1.0, numpy.abs(expected))
            worst = max(worst, float(apart.max()))
        return worst, spec["reads"]


def ask_lightgbm(path, spec):
    booster = lightgbm.Booster(model_file=str(path))
    raw = spec["reads"] == "raw"
    return lambda frame: booster.predict(frame if raw else frame.to_numpy())


def ask_xgboost(path, spec):
    booster = xgboost.Booster(model_file=str(path))
    names = [column["name"] for column in spec["columns"]]
    kinds = ["c" if column["type"] == "category" else "float" for column in spec["columns"]]

    def ask(frame):
        if spec["reads"] == "raw":
            data = xgboost.DMatrix(frame, enable_categorical=True)
        else:
            data = xgboost.DMatrix(frame.to_numpy(), feature_names=names, feature_types=kinds, enable_categorical=True)
        return booster.predict(data).astype(float)

    return ask


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    libraries = [name for name, library in (("lightgbm", lightgbm), ("xgboost", xgboost)) if library]
    if missing:
        print(f"skipped: gbm with {', '.join(missing)} (not installed)")
    if not libraries:
        return
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    projects, failed = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for name, case, words in CASES:
            if wanted not in f"{name} {case}":
                continue
            project = projects.get(name) or projects.setdefault(name, Project(Path(sys.argv[1]).resolve(), Path(folder) / name, name))
            settings = {"steps": STEPS, "dates": ""}.get(case, "")
            (project.folder / "mlops.toml").write_text(settings)
            project.run("train", *words, *(["--ignore", "time_hour"] if name == "flights" and case != "dates" else []))
            for library in libraries:
                if case == "dates" and library == "xgboost":
                    continue  # Seconds since 1970 take more than the 24 bits that it keeps of a number.
                worst, reads = project.compare(library)
                failed += worst > MOST
                print(f"{'FAR ' if worst > MOST else 'fine'} {name} {case}, {library} ({reads}): {worst:.1e}", flush=True)
    sys.exit(1 if failed else 0)


main()
