"""The tables, in Markdown."""

from collections.abc import Mapping, Sequence

from bench.figures import Rounds, Target, spread
from bench.works import Work


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def of_work(work: Work, rounds: Rounds, titles: Mapping[str, str]) -> str:
    """What a work gave: a table of figures and one of targets."""
    rivals = [rival for rival in rounds if rounds[rival]]
    lines = []
    for name, label in work.rows:
        found = [spread([figures[name] for figures in rounds[rival] if name in figures]) for rival in rivals]
        if any(text != "-" for text in found):
            lines.append([label, *found])
    text = f"### {work.title}\n\n" + table(["", *(titles[rival] for rival in rivals)], lines)
    if any(target.figures(rounds) for target in work.targets):
        text += "\n" + targets([(work, rounds)])
    return text


def targets(works: Sequence[tuple[Work, Rounds]]) -> str:
    """The targets of works, and whether they are reached."""
    lines = []
    for work, rounds in works:
        for target in work.targets:
            figure = f"{spread(target.figures(rounds))} {target.unit}".strip()
            if target.figures(rounds):
                lines.append(
                    [work.title.partition(":")[0], target.wanted, figure + target.note, _verdict(target, rounds)]
                )
    return table(["work", "to reach", "figure", ""], lines)


def _verdict(target: Target, rounds: Rounds) -> str:
    return "reached" if target.reached(rounds) else "**not reached**"
