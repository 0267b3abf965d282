"""From the numbers of all pictures to tables, a comparison with the first column, and marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean

from tests.benchmarks.common import print_table
from tests.benchmarks.device.marks import Mark
from tests.benchmarks.look.judging import DEEPEST, PIXELS, Numbers
from tests.benchmarks.look.rendering import Facts

_TOLD = {
    "content": "content",
    "gram": "gram",
    "nn_to_style": "NN o→s",
    f"nn_to_style {DEEPEST}": "o→s 5_1",
    "nn_from_style": "NN s→o",
    f"nn_from_style {DEEPEST}": "s→o 5_1",
    "self_similarity": "self-sim",
}
"""A judge's numbers in the tables, and their heads."""

_TOLD_PIXELS = {"patch": "patch", "patch_back": "p. back", "residue": "residue", "fringe": "fringe"}

_WORSE = 1.05
"""What a number may grow to over the first column's on any pair."""

_LESS_ALIKE = 0.02
_FRINGE = 1.5
_CONTENT = 0.9
_MANNER = ("nn_to_style", "nn_from_style", "patch", "residue")
"""What has to be better on most pairs."""


@dataclass(frozen=True)
class Row:
    """One picture and its numbers.

    Attributes:
        pair: Its title.
        variant: Its column's label.
        file: Where it lies.
        facts: How it came about; None for other programs' pictures.
        numbers: By the judge's name, `pixels` for those without.
    """

    pair: str
    variant: str
    file: str
    facts: Facts | None
    numbers: Mapping[str, Numbers]


@dataclass(frozen=True)
class Comparison:
    """One number of a column beside the first column's, over the pairs that both have.

    Attributes:
        variant: The column's label.
        judge: Whose number.
        number: Which.
        better: On how many pairs it is smaller.
        pairs: Of so many.
        worst: The largest ratio to the first column's, and on which pair.
        base, mean: The two columns' means.
        steepest: The largest difference, this column's less the first's.
        largest: The largest value of this column.
    """

    variant: str
    judge: str
    number: str
    better: int
    pairs: int
    worst: float
    worst_pair: str
    base: float
    mean: float
    steepest: float
    largest: float


def comparisons(rows: Sequence[Row]) -> list[Comparison]:
    """Every number of each column but the first beside the first's."""
    labels = list(dict.fromkeys(row.variant for row in rows))
    by_label = {label: {row.pair: row for row in rows if row.variant == label} for label in labels}
    found = []
    for label in labels[1:]:
        first, other = by_label[labels[0]], by_label[label]
        common = [pair for pair in first if pair in other]
        for judge in first[common[0]].numbers if common else ():
            for number in first[common[0]].numbers[judge]:
                values = {
                    pair: (first[pair].numbers[judge][number], other[pair].numbers[judge][number])
                    for pair in common
                }
                found.append(_compared(label, judge, number, values))
    return found


def _compared(
    label: str, judge: str, number: str, values: Mapping[str, tuple[float, float]]
) -> Comparison:
    ratios = {pair: _ratio(*both) for pair, both in values.items()}
    worst = max(ratios, key=lambda pair: ratios[pair])
    return Comparison(
        variant=label,
        judge=judge,
        number=number,
        better=sum(other < base for base, other in values.values()),
        pairs=len(values),
        worst=ratios[worst],
        worst_pair=worst,
        base=fmean(base for base, _ in values.values()),
        mean=fmean(other for _, other in values.values()),
        steepest=max(other - base for base, other in values.values()),
        largest=max(other for _, other in values.values()),
    )


def _ratio(base: float, other: float) -> float:
    if base > 0:
        return other / base
    return 1.0 if other <= 0 else float("inf")


def marks(found: Sequence[Comparison], judge: str, most: Fraction) -> list[Mark]:
    """What is wanted of each column against the first, by one judge and by the pixels.

    Args:
        found: From `comparisons`.
        judge: Whose numbers count.
        most: On which part of the pairs the manner has to be better.
    """
    wanted = [each for each in found if each.judge in (judge, PIXELS)]
    return [mark for each in wanted for mark in _marks_of(each, most)]


def _marks_of(each: Comparison, most: Fraction) -> Iterator[Mark]:
    name = f"{each.variant}: {each.number}"
    where = f"on {each.worst_pair}"
    if each.number in _MANNER:
        needed = -(-each.pairs * most.numerator // most.denominator)
        yield Mark(
            name,
            f"better on {needed} of {each.pairs}, none worse by more than {_WORSE - 1:.0%}",
            f"better on {each.better}, at most x{each.worst:.3f} {where}",
            each.better >= needed and each.worst <= _WORSE,
        )
    elif each.number == "self_similarity":
        yield Mark(
            name,
            f"at most +{_LESS_ALIKE} on each",
            f"at most {each.steepest:+.3f}, mean {each.mean - each.base:+.3f}",
            each.steepest <= _LESS_ALIKE,
        )
    elif each.number in ("fringe", "content"):
        bound = _FRINGE if each.number == "fringe" else _CONTENT
        yield Mark(
            name,
            f"at most {bound} on each",
            f"at most {each.largest:.3f}, mean {each.mean:.3f}",
            each.largest <= bound,
        )


def beneath(row: Row, judge: str) -> tuple[str, ...]:
    """What stands beneath a picture on a sheet: short lines of numbers, and the seconds."""
    seen, plain = row.numbers[judge], row.numbers[PIXELS]
    taken = "" if row.facts is None else f"  {row.facts.seconds:.0f} s"
    return (
        f"NN {seen['nn_to_style']:.3f} / {seen['nn_from_style']:.3f}",
        f"self-sim {seen['self_similarity']:.3f}  content {seen['content']:.2f}",
        f"patch {plain['patch']:.3f}  residue {plain['residue']:.3f}",
        f"fringe {plain['fringe']:.2f}{taken}",
    )


def print_rows(rows: Sequence[Row]) -> None:
    """A table of all pictures for each judge; what needs none stands in the first."""
    for place, judge in enumerate(_judges(rows)):
        told = {**_TOLD, **(_TOLD_PIXELS if place == 0 else {})}
        print(f"\n{judge}")
        cells = []
        for row in rows:
            known = {**row.numbers[judge], **row.numbers[PIXELS]}
            taken = "" if row.facts is None else f"{row.facts.seconds:.1f}"
            counted = "" if row.facts is None else str(row.facts.evaluations)
            values = [f"{known[name]:.3f}" for name in told]
            cells.append((row.pair, row.variant, *values, taken, counted))
        cells += [
            _mean(label, judge, told, rows) for label in dict.fromkeys(r.variant for r in rows)
        ]
        print_table(("pair", "column", *told.values(), "seconds", "eval."), cells)


def _mean(label: str, judge: str, told: Mapping[str, str], rows: Sequence[Row]) -> tuple[str, ...]:
    """The last lines of a table: one column's means over its pairs."""
    own = [row for row in rows if row.variant == label]
    known = [{**row.numbers[judge], **row.numbers[PIXELS]} for row in own]
    facts = [row.facts for row in own if row.facts is not None]
    means = [f"{fmean(each[name] for each in known):.3f}" for name in told]
    taken = f"{fmean(each.seconds for each in facts):.1f}" if facts else ""
    counted = f"{fmean(each.evaluations for each in facts):.0f}" if facts else ""
    return f"mean of {len(own)}", label, *means, taken, counted


def print_comparisons(found: Sequence[Comparison], first: str) -> None:
    """Each number of the tables beside the first column's."""
    told = {**_TOLD, **_TOLD_PIXELS}
    rows = [
        (
            f"{each.variant}, {each.judge}",
            told[each.number],
            f"{each.base:.3f}",
            f"{each.mean:.3f}",
            f"{each.better} of {each.pairs}",
            f"{each.worst:.3f}",
            each.worst_pair,
        )
        for each in found
        if each.number in told
    ]
    if rows:
        print(f"\nagainst {first}")
        head = ("column", "number", first, "mean", "better", "worst ratio", "on")
        print_table(head, rows)


def print_marks(found: Sequence[Mark]) -> None:
    """What was wanted, what was found, and whether it holds."""
    print()
    rows = [(mark.name, mark.wanted, mark.found, str(mark.holds).lower()) for mark in found]
    print_table(("mark", "wanted", "found", "holds"), rows)


def _judges(rows: Sequence[Row]) -> list[str]:
    return [name for name in rows[0].numbers if name != PIXELS] if rows else []
