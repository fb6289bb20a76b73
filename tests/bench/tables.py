"""Tables of what proxies did in rounds, as Markdown."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

Figures = dict[str, float]  # of one turn: what a proxy did in one round


@dataclass(frozen=True)
class Column:
    heading: str
    figure: str
    digits: int = 0
    compared: bool = False  # with its spread, and its ratio to other proxies


def middle(turns: list[Figures], figure: str) -> float:
    return statistics.median(turn[figure] for turn in turns)


def spread(turns: list[Figures], figure: str) -> str:
    """Half the range, in percent of the median."""
    values = [turn[figure] for turn in turns]
    return f"{50 * (max(values) - min(values)) / (statistics.median(values) or 1):.0f}"


def ratio(turns: list[Figures | None], others: list[Figures | None], figure: str) -> str:
    """The median of each round's ratio: what disturbs a whole round does not count."""
    ratios = [a[figure] / b[figure] for a, b in zip(turns, others) if a and b and b[figure]]
    return f"{statistics.median(ratios):.2f}" if ratios else "–"


def table(columns: list[Column], turns: dict[str, list[Figures | None]], references: list[str]) -> str:
    """`turns`: by the proxies' labels, one for each round, None for one that went wrong; `references`:
    labels of those that all are compared to."""
    rows = [["proxy"]]
    for column in columns:
        rows[0].append(column.heading)
        if column.compared:
            rows[0] += ["± %", *(f"to {label}" for label in references)]
    rows.append(["---"] * len(rows[0]))
    for label, own in turns.items():
        good = [turn for turn in own if turn]
        if len(good) < len(own):
            rows.append([label, "NOT OK"] + ["–"] * (len(rows[0]) - 2))
            continue
        row = [label]
        for column in columns:
            row.append(f"{middle(good, column.figure):.{column.digits}f}")
            if column.compared:
                row.append(spread(good, column.figure))
                row += [ratio(own, turns[other], column.figure) for other in references]
        rows.append(row)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
