"""Draw results/scaling-*.md: time per dof over the number of dofs, as results/scaling.png.

python tests/benchmarks/plot_scaling.py
"""

from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

RESULTS = Path(__file__).parent / "results"
STYLES = {1: "-o", 2: "--s"}
LINES = {  # label: table, formulation, columns whose sum is drawn
    "stream": (0, "stream", ("assemble", "set-up", "solve")),
    "vector": (0, "vector", ("assemble", "set-up", "solve")),
    "Poisson, CG + GAMG": (1, "stream", ("Poisson: assemble", "set-up 2", "solve 2")),
}


def main() -> None:
    """Draw the elements of degree 3."""
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for ranks, style in STYLES.items():
        found = tables(RESULTS / f"scaling-{ranks}.md")
        for color, (label, (number, formulation, columns)) in enumerate(LINES.items()):
            rows = [
                row
                for row in found[number]
                if row["formulation"] == formulation and row["degree"] == "3"
            ]
            dofs = [float(row["dofs"].replace(",", "")) for row in rows]
            times = [sum(float(row[column]) for column in columns) for row in rows]
            name = f"{label}, {ranks} rank{'s' if ranks > 1 else ''}"
            axes.loglog(dofs, times, style, color=f"C{color}", label=name)
    axes.set_xlabel("dofs of degree 3")
    axes.set_ylabel("assembly, set-up and one load [µs per dof]")
    axes.grid(which="both", alpha=0.3)
    axes.set_yticks([10, 20, 50, 100], labels=["10", "20", "50", "100"])
    axes.set_yticks([], minor=True)
    figure.legend(loc="outside right center", fontsize=8)
    figure.savefig(RESULTS / "scaling.png", dpi=120)


def tables(path: Path) -> list[list[dict[str, str]]]:
    """Return the rows of each table; a heading that comes again is numbered."""
    lines = [*path.read_text(encoding="utf-8").splitlines(), ""]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    starts = [i for i, (before, row) in enumerate(pairwise(rows), 1) if row and not before]
    found = []
    for start in starts:
        end = start + [bool(row) for row in rows[start:]].index(False)
        names = [
            name
            if rows[start][:k].count(name) == 0
            else f"{name} {rows[start][:k].count(name) + 1}"
            for k, name in enumerate(rows[start])
        ]
        found.append([dict(zip(names, row, strict=True)) for row in rows[start + 2 : end]])
    return found


if __name__ == "__main__":
    main()
