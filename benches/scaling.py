"""How time and memory of `transform` and `train --model boost` grow with rows and with columns; a table and a plot.

usage: scaling.py MLOPS [OUT.svg] [--rows-max 10000000]
needs: pip install numpy polars
Rows: 10,000 to 10,000,000 of 18 columns. Columns: 10 to 1,000 of 100,000 rows. A third of the columns is text of 20 values.
"""
import json, math, os, pathlib, subprocess, sys, tempfile

from measure import run

mlops, words = os.path.abspath(sys.argv[1]), [w for w in sys.argv[2:] if not w.startswith("--")]
rows_max = int(sys.argv[sys.argv.index("--rows-max") + 1]) if "--rows-max" in sys.argv else 10_000_000
SHAPES = [(rows, 18) for rows in (10_000, 100_000, 1_000_000, 10_000_000) if rows <= rows_max]
SHAPES += [(100_000, columns) for columns in (10, 100, 1_000)]
TABLE = """
import sys, numpy as np, polars as pl
rows, columns, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
rng, words = np.random.default_rng(5), np.array([f"word_{i}" for i in range(20)])
with open(out, "wb") as file:
    for start in range(0, rows, 100_000):
        count = min(100_000, rows - start)
        numbers = rng.normal(size=(count, columns - columns // 3)).round(3)
        codes = rng.integers(0, 20, (count, columns // 3))
        y = numbers[:, 0] * numbers[:, 1] + numbers[:, 2] + (codes[:, 0] % 3) + rng.normal(size=count) > 1
        table = {f"n{i}": numbers[:, i] for i in range(numbers.shape[1])} | {f"t{i}": words[codes[:, i]] for i in range(codes.shape[1])}
        pl.DataFrame(table | {"y": y.astype(int)}).write_csv(file, include_header=start == 0)
"""
STEPS = """[transform]
steps = [{ op = "impute", columns = "numeric", strategy = "median" }, { op = "scale", columns = "numeric" }, { op = "one_hot", columns = "categorical" }]
"""


def measured(work, rows, columns):
    """Seconds and peak megabytes of transform, seconds of fitting and peak megabytes of training."""
    folder = pathlib.Path(work, f"{rows}x{columns}")
    folder.mkdir()
    table = folder / "t.csv"
    subprocess.run([sys.executable, "-c", TABLE, str(rows), str(columns), table], check=True)
    run([mlops, "init"], folder)
    run([mlops, "ingest", table, "--target", "y", "--task", "binary"], folder)
    table.unlink()
    _, train_peak, out = run([mlops, "train", "--model", "boost", "--json"], folder)
    (folder / "mlops.toml").write_text(STEPS)
    seconds, peak, _ = run([mlops, "transform"], folder)
    subprocess.run(["rm", "-rf", folder], check=True)
    return seconds, peak, json.loads(out)["data"]["seconds"], train_peak


def plot(results, out):
    """Two panels on logarithmic axes: seconds by rows, and by columns."""
    panels = [("rows, 18 columns", [r for r in results if r[1] == 18], 0), ("columns, 100,000 rows", [r for r in results if r[1] != 18], 1)]
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="760" height="330" font-family="sans-serif" font-size="12">']
    for place, (title, rows, key) in enumerate(panels):
        left, xs = 60 + place * 380, [math.log10(r[key]) for r in rows]
        low, high = min(xs), max(xs)
        x = lambda value: left + (math.log10(value) - low) / (high - low) * 280
        y = lambda value: 280 - (math.log10(max(value, 0.01)) + 2) / 4.5 * 240
        parts.append(f'<text x="{left}" y="20">seconds by {title}</text>')
        for power in range(-2, 3):
            at = y(10 ** power)
            parts.append(f'<line x1="{left}" x2="{left + 280}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/><text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{10 ** power:g}</text>')
        for row in rows:
            parts.append(f'<text x="{x(row[key]):.1f}" y="300" text-anchor="middle">{row[key]:,}</text>')
        for column, colour, name in ((2, "#0b6bb5", "transform"), (4, "#c86a00", "boost, fit")):
            points = " ".join(f"{x(r[key]):.1f},{y(r[column]):.1f}" for r in rows)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
            parts += [f'<circle cx="{x(r[key]):.1f}" cy="{y(r[column]):.1f}" r="3" fill="{colour}"/>' for r in rows]
            parts.append(f'<text x="{left + (column - 2) * 60}" y="322" fill="{colour}">{name}</text>')
    pathlib.Path(out).write_text("\n".join(parts) + "\n</svg>\n")


results = []
print("| rows | columns | transform | a cell | memory | boost, fit | a cell | memory of `train` |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as work:
    for rows, columns in SHAPES:
        t, t_peak, b, b_peak = measured(work, rows, columns)
        results.append((rows, columns, t, t_peak, b, b_peak))
        cells = rows * columns
        print(f"| {rows:,} | {columns:,} | {t:.2f} s | {t / cells * 1e9:.0f} ns | {t_peak:.0f} MB | {b:.2f} s | {b / cells * 1e9:.0f} ns | {b_peak:.0f} MB |", flush=True)
if words:
    plot(results, words[0])
