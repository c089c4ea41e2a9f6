"""Rows of results, and how they are printed."""

import math
import statistics
from dataclasses import dataclass


@dataclass
class Row:
    """One thing that was measured, once in each round.

    `values` are ratios, or whatever `unit` says; `goal` is a bound on their median, `None` where there is none.
    """

    what: str
    values: list
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    detail: str = ""

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def broken(self):
        # Not a number. A difference of two percentiles may be below nothing.
        return not self.values or not all(math.isfinite(value) for value in self.values)

    @property
    def goal(self):
        if self.at_least is not None:
            return f"≥ {show(self.at_least)}{self.unit}"
        if self.at_most is not None:
            return f"≤ {show(self.at_most)}{self.unit}"
        return ""

    @property
    def met(self):
        if self.at_least is not None:
            return "yes" if self.median >= self.at_least else "NO"
        if self.at_most is not None:
            return "yes" if self.median <= self.at_most else "NO"
        return ""

    @property
    def measured(self):
        return f"{show(self.median)}{self.unit}"

    @property
    def spread(self):
        if len(self.values) < 2:
            return "one value"
        return f"{show(min(self.values))} – {show(max(self.values))}"

    def line(self):
        judged = f" (goal {self.goal}: {self.met})" if self.goal else ""
        return f"{self.what}: {self.measured}, {self.spread}{judged} {self.detail}".rstrip()


def show(value):
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def text(rows):
    """The table for a terminal."""
    cells = [("what", "goal", "met", "median", "spread")]
    cells += [(row.what, row.goal, row.met, row.measured, row.spread) for row in rows]
    widths = [max(len(line[at]) for line in cells) for at in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown(rows, notes, facts, context):
    """The document that is pasted into docs/performance.md."""
    lines = ["| fact | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in facts]
    lines += ["", f"{context.rounds} rounds. " + " ".join(f"{note[0].upper()}{note[1:]}." for note in notes), ""]
    lines += ["| what | goal | met | median | lowest – highest | of which |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        cells = (row.what, row.goal, row.met, row.measured, row.spread, row.detail)
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
