"""The figures of a run, as rows of the table in `docs/durability.md`.

A test prints its row last, after everything it asserts about losses: only a
test that passed has one, and what it lost is none but what it says. `cases`
of the same fault are rows of their own.
"""

_HEAD = ("fault", "rounds", "acknowledged", "lost")


def row(fault: str, rounds, acknowledged, remark="", lost: str = "0") -> str:
    """Returns the row of a fault: how often it was tried, how many samples were acknowledged, and what else was seen."""
    seen = f"({remark})" if lost and remark else remark
    return f"| {fault} | {rounds} | {acknowledged} | {lost}{' ' if lost and seen else ''}{seen} |"


def rows_in(said: str) -> list[str]:
    """Returns the rows that a test printed."""
    return [line for line in said.splitlines() if line.startswith("| ")]


def table(rows: list[str]) -> list[str]:
    """Returns the lines of the table."""
    return [f"| {' | '.join(_HEAD)} |", f"|{' --- |' * len(_HEAD)}", *rows]
