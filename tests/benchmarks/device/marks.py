"""What was found, held against what is wanted of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

NOT_SHOWN: Literal["not shown here"] = "not shown here"

_MEMORY = 0.2
_QUALITY = 0.02
_FASTER = 4.0
_CEILING = 0.5
_IN_FLIGHT = 2


@dataclass(frozen=True)
class Mark:
    """One thing that is wanted.

    Attributes:
        name: Of what is wanted.
        wanted: In words.
        found: In words; empty where nothing was.
        holds: Whether it is so; on a CPU some marks are not shown.
    """

    name: str
    wanted: str
    found: str
    holds: bool | Literal["not shown here"]


_Found = Mapping[str, Any]
"""What a section found, by name."""


@dataclass(frozen=True)
class _Wanted:
    """A mark before anything was found.

    Attributes:
        name, wanted: As in `Mark`.
        section: Where it is looked for.
        judge: What was found in words, and whether it holds; raises where something is missing.
        needs_card: Whether a CPU cannot show it.
    """

    name: str
    wanted: str
    section: str
    judge: Callable[[_Found], tuple[str, bool]]
    needs_card: bool = True


def marks(report: Mapping[str, Any]) -> list[Mark]:
    """All marks, for the sections that were run."""
    return [_mark(wanted, report) for wanted in _ALL]


def _mark(wanted: _Wanted, report: Mapping[str, Any]) -> Mark:
    section = report["sections"].get(wanted.section)
    if section is None or (wanted.needs_card and report["device"] == "cpu"):
        return Mark(wanted.name, wanted.wanted, "", NOT_SHOWN)
    try:
        found, holds = wanted.judge(section["found"])
    except (LookupError, TypeError, ValueError) as error:
        ended = section["ended"]
        return Mark(wanted.name, wanted.wanted, f"missing: {error!r} ({ended})", False)
    return Mark(wanted.name, wanted.wanted, found, holds)


def _rows(found: _Found, beginning: str) -> dict[str, Any]:
    """The findings whose names begin so, of which there has to be one."""
    rows = {name: row for name, row in found.items() if name.startswith(beginning)}
    if not rows:
        raise LookupError(beginning)
    return rows


def _leaves(value: Any, name: str) -> Iterator[Any]:
    """Every value of this name, however deep; an error stands for one that is missing."""
    if isinstance(value, Mapping):
        if "skipped" in value or set(value) == {"error"}:
            raise LookupError(str(value.get("skipped") or value["error"]).strip().splitlines()[-1])
        for key, inner in value.items():
            if key == name:
                yield inner
            else:
                yield from _leaves(inner, name)


def _leaf(value: Any, name: str) -> Any:
    """The first of them."""
    for found in _leaves(value, name):
        return found
    raise LookupError(name)


def _within(*beginnings: str) -> Callable[[_Found], tuple[str, bool]]:
    """Whether all rows whose names begin so lie within their own bounds."""

    def judge(found: _Found) -> tuple[str, bool]:
        rows = {k: row for beginning in beginnings for k, row in _rows(found, beginning).items()}
        out = [name for name, row in rows.items() if not all(_leaves(row, "within"))]
        return (f"out of bounds: {', '.join(out)}" if out else f"all {len(rows)}"), not out

    return judge


def _worst(values: Iterable[float]) -> float:
    """The largest; NaN where there is one."""
    values = list(values)
    return math.nan if any(map(math.isnan, values)) else max(values)


def _waits(found: _Found) -> tuple[str, bool]:
    waits = {name: _leaf(row, "waits") for name, row in found.items()}
    if not waits:
        raise LookupError("waits")
    waiting = [f"{name}: {count}" for name, count in waits.items() if count]
    return ", ".join(waiting) or f"0 in {len(waits)} cases", not waiting


def _faster(numbers: str) -> Callable[[_Found], tuple[str, bool]]:
    def judge(found: _Found) -> tuple[str, bool]:
        ratio = _leaf(found["vgg19 gram 1024"], "ratio")[numbers]
        return f"{ratio:.2f}", ratio >= _FASTER

    return judge


def _share(found: _Found) -> tuple[str, bool]:
    rate = _leaf(found["vgg19 gram 2048"], "operations per second")
    share = rate / _leaf(found["ceiling"], "best")
    return f"{share:.0%}", share >= _CEILING


def _in_flight(found: _Found) -> tuple[str, bool]:
    most = _worst(_leaf(row, "steps in flight") for row in found.values())
    return f"{most:.0f}", most <= _IN_FLIGHT


def _predicted(found: _Found) -> tuple[str, bool]:
    rows = {name: _leaf(row, "predicted over reserved") for name, row in found.items()}
    away = _worst(abs(ratio - 1) for ratio in rows.values())
    told = ", ".join(f"{name} {ratio:.2f}" for name, ratio in rows.items())
    return told, away <= _MEMORY


def _completed(found: _Found) -> tuple[str, bool]:
    row = found["vgg19 16384 auto"]
    finite = _leaf(row, "finite")
    return _leaf(row, "tiling"), finite


def _finished(found: _Found) -> tuple[str, bool]:
    done = {name: _leaf(row, "finished") for name, row in found.items()}
    failed = [name for name, finished in done.items() if not finished]
    return (f"failed: {', '.join(failed)}" if failed else f"all {len(done)}"), not failed


def _cut(found: _Found) -> tuple[str, bool]:
    rows = _rows(found, "1 GB left")
    kinds = {name: [e["kind"] for e in _leaf(row, "events")] for name, row in rows.items()}
    uncut = [name for name, told in kinds.items() if "smaller tiles" not in told]
    return (f"not said: {', '.join(uncut)}" if uncut else "said"), not uncut


def _quality(found: _Found) -> tuple[str, bool]:
    away = {name: _leaf(row, "difference") for name, row in found.items()}
    worst = _worst(away.values())
    told = ", ".join(f"{name} {difference:+.2%}" for name, difference in away.items())
    return told, worst <= _QUALITY


def _rendered(found: _Found) -> tuple[str, bool]:
    rows = {name: found[name] for name in ("draft", "vgg19")}
    codes = {name: _leaf(row, "code") for name, row in rows.items()}
    return str(codes), not any(codes.values()) and all(row["saved"] for row in rows.values())


_ALL: Sequence[_Wanted] = (
    _Wanted("terms and gradients", "as the formulas", "correctness", _within("formula"), False),
    _Wanted("tiles", "as the whole image", "correctness", _within("tiles"), False),
    _Wanted("replays", "as kernel by kernel", "correctness", _within("replay")),
    _Wanted("flat paintings", "finite, as on a CPU", "correctness", _within("flat"), False),
    _Wanted("a failed recording", "leaves nothing", "correctness", _within("failed recording")),
    _Wanted("waits within steps", "0", "syncs", _waits, False),
    _Wanted("times the reference, tf32", ">= 4 at 1024, Gram", "speed", _faster("tf32")),
    _Wanted("times the reference, ieee", ">= 4 at 1024, Gram", "speed", _faster("ieee")),
    _Wanted("of the bfloat16 ceiling", ">= 50 % at 2048", "speed", _share),
    _Wanted("steps in flight at Stop", "<= 2", "latency", _in_flight),
    _Wanted("planned memory", "within 20 % of reserved", "memory", _predicted),
    _Wanted("16384 px", "completes", "memory", _completed),
    _Wanted("jobs in little memory", "finish", "small card", _finished),
    _Wanted("smaller tiles", "are said", "small card", _cut),
    _Wanted("quality", "within 2 % of float32", "quality", _quality, False),
    _Wanted("render", "exit code 0, saved", "end to end", _rendered, False),
)
