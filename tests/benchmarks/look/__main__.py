"""Renders, measures and lays side by side; what the numbers mean stands in the package itself.

    python -m tests.benchmarks.look --presets Flowing,Brushwork [--pairs FOLDER_OR_LIST]
        [--variant "LABEL: preset=NAME, NAME=VALUE, ..."] [--pictures FOLDER] [--set NAME=VALUE]
        [--size 512] [--network NAME] [--out FOLDER] [--marks [FRACTION]] [--blind SEED] [--json]
    python -m tests.benchmarks.look --reveal VERDICTS KEY

The first column is the one the others are held against. Renders are kept in FOLDER and taken from
there the next time, as long as the same is asked for; what a change of the code does to them shows
with --again. Pictures of other programs are named CONTENT__STYLE.png, after the pair's files.
Exit code 1 says that a mark was missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from engine.spec.choices import NetworkName
from engine.spec.errors import GramaryeError, InputError
from engine.spec.pictures import Picture
from engine.storage.images import open_picture
from engine.storage.paths import replacing
from engine.weights.installed import networks_here
from tests.benchmarks.common import print_object
from tests.benchmarks.look import sheets
from tests.benchmarks.look.judging import PIXELS, Judge, pixel_numbers
from tests.benchmarks.look.ledger import Ledger
from tests.benchmarks.look.pairs import SHARED, Pair, pairs_in
from tests.benchmarks.look.rendering import Render, Studio
from tests.benchmarks.look.report import (
    Row,
    beneath,
    comparisons,
    marks,
    print_comparisons,
    print_marks,
    print_rows,
)
from tests.benchmarks.look.variants import Variant, named_values, variants

_NETWORKS = (NetworkName.VGG19, NetworkName.VGG16, NetworkName.DRAFT)
_SHARED_WEIGHTS = SHARED / "weights" / "vgg19-features.pth"
_MOST = Fraction(10, 12)
_BAD_INPUT = 2


@dataclass(frozen=True, eq=False)
class _Painted:
    """A pair with its pictures and what each column made of them."""

    pair: Pair
    content: Picture
    style: Picture
    renders: Mapping[str, Render | None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked for; returns the exit code."""
    options = _options(arguments)
    try:
        return _reveal(*options.reveal) if options.reveal else _judge(options)
    except GramaryeError as error:
        print(f"look: {error}", file=sys.stderr)
        return _BAD_INPUT


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.look",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--pairs", type=Path, metavar="FOLDER_OR_LIST", help="content/ and style/, or two paths a "
        "line (our samples)")  # fmt: skip
    add("--images", type=Path, metavar="FOLDER", default=SHARED / "images",
        help="what a list's paths begin at (../shared/images)")  # fmt: skip
    add("--count", type=int, metavar="N", help="of the pairs, each picture equally often (all)")
    add("--presets", default="", metavar="A,B", help="names or .json files, the base first")
    add(
        "--variant", action="append", default=[], metavar="TEXT", help="one more column; repeatable"
    )
    add("--pictures", action="append", default=[], type=Path, metavar="FOLDER",
        help="one more column, of finished pictures; repeatable")  # fmt: skip
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="for all columns")
    add("--size", type=int, default=512, metavar="N", help="of the canvas, pixels (512)")
    add("--network", choices=_NETWORKS, metavar="NAME", help="to paint with (vgg19, else draft)")
    add("--judges", metavar="A,B", help="networks that judge (vgg19, then vgg16 or draft)")
    add("--weights", type=Path, metavar="FILE", help="of VGG-19, or of --network vgg16")
    add("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    add("--out", type=Path, default=Path("look"), metavar="FOLDER", help="for all files (look)")
    add("--again", action="store_true", help="paint anew what was painted before")
    add("--marks", nargs="?", type=Fraction, const=_MOST, metavar="FRACTION",
        help="marks, better on this part of the pairs (10/12)")  # fmt: skip
    add("--blind", type=int, metavar="SEED", help="lettered sheets in random order, and their key")
    add("--cell", type=int, default=400, metavar="N", help="long side of a sheet's pictures (400)")
    add("--json", action="store_true", help="print one JSON object instead of tables")
    add(
        "--reveal", nargs=2, type=Path, metavar=("VERDICTS", "KEY"), help="count what was preferred"
    )
    return parser.parse_args(arguments)


def _judge(options: argparse.Namespace) -> int:
    files = _weights(options)
    network = options.network or next(name for name in _NETWORKS if name in files)
    common = {
        "network": network,
        "output_size": str(options.size),
        "device": options.device,
        **named_values(options.set),
    }
    columns = variants(options.presets, options.variant, options.pictures, common)
    pairs = pairs_in(options.pairs, options.images, options.count)
    judges = [Judge(name, files[name], options.device) for name in _judges(options, files)]
    studio = Studio(options.out / "pictures", files, again=options.again)
    ledger = Ledger(options.out / "numbers.json")
    painted, rows = [], []
    for number, pair in enumerate(pairs, start=1):
        painted.append(_paint(pair, columns, studio, f"{number}/{len(pairs)}"))
        rows += _measured(painted[-1], judges, ledger)
        ledger.write()
    compared = comparisons(rows)
    found = {judge.name: marks(compared, judge.name, options.marks or _MOST) for judge in judges}
    laid = _sheets(options, painted, rows, judges[0].name)
    report = {
        "size": options.size,
        "network": network,
        "columns": [_told(column) for column in columns],
        "rows": [asdict(row) for row in rows],
        "compared": [asdict(each) for each in compared],
        "marks": {name: [asdict(mark) for mark in held] for name, held in found.items()},
        "sheets": [str(file) for file in laid],
    }
    with replacing(options.out / "look.json", overwrite=True) as temporary:
        temporary.write_text(json.dumps(report, indent=1))
    held = found[judges[0].name] if options.marks else []
    if options.json:
        print_object(report)
    else:
        print_rows(rows)
        print_comparisons(compared, columns[0].label)
        if options.marks:
            print_marks(held)
        print(f"\n{', '.join(map(str, laid))}")
    return 1 if any(mark.holds is False for mark in held) else 0


def _weights(options: argparse.Namespace) -> dict[NetworkName, Path]:
    """The files of all networks that are here."""
    named = NetworkName.VGG16 if options.network == NetworkName.VGG16 else NetworkName.VGG19
    files = dict(networks_here(named, options.weights))
    if NetworkName.VGG19 not in files and _SHARED_WEIGHTS.is_file():
        files[NetworkName.VGG19] = _SHARED_WEIGHTS
    if options.network is not None and options.network not in files:
        raise InputError(f"The weights of {options.network} are not here.", "Give --weights FILE.")
    return files


def _judges(options: argparse.Namespace, files: Mapping[NetworkName, Path]) -> list[NetworkName]:
    """Those that are named; else the best that is here and the next after it."""
    if options.judges is None:
        return [name for name in _NETWORKS if name in files][:2]
    names = [name.strip() for name in options.judges.split(",")]
    unknown = next((name for name in names if name not in files), None)
    if unknown is not None:
        raise InputError(
            f"The network {unknown} cannot judge here.", f"Here are: {', '.join(files)}."
        )
    return [NetworkName(name) for name in names]


def _paint(pair: Pair, columns: Sequence[Variant], studio: Studio, place: str) -> _Painted:
    content, style = open_picture(pair.content), open_picture(pair.style)
    renders = {}
    for column in columns:
        render = studio.render(pair, column, content, style)
        renders[column.label] = render
        said = "not there" if render is None else "there already"
        if render is not None and render.anew and render.facts is not None:
            said = f"{render.facts.seconds:.1f} s"
        print(f"{place} {pair.title}, {column.label}: {said}", file=sys.stderr, flush=True)
    return _Painted(pair, content, style, renders)


def _measured(painted: _Painted, judges: Sequence[Judge], ledger: Ledger) -> list[Row]:
    rows = []
    pair = painted.content, painted.style
    device = judges[0].device
    for label, render in painted.renders.items():
        if render is not None:
            output = render.pixels
            found = {
                judge.name.value: ledger.numbers(
                    judge.sha256, pair, output, partial(judge.numbers, *pair, output)
                )
                for judge in judges
            }
            measure = partial(pixel_numbers, *pair, output, device)
            found[PIXELS] = ledger.numbers(PIXELS, pair, output, measure)
            rows.append(Row(painted.pair.title, label, str(render.file), render.facts, found))
    for judge in judges:
        judge.forget()
    return rows


def _told(column: Variant) -> dict[str, object]:
    settings = None if column.settings is None else column.settings.model_dump(mode="json")
    return {"label": column.label, "settings": settings}


def _sheets(
    options: argparse.Namespace, painted: Sequence[_Painted], rows: Sequence[Row], judge: str
) -> list[Path]:
    by_place = {(row.pair, row.variant): row for row in rows}
    laid = [_sheet_row(each, by_place, judge) for each in painted]
    files = sheets.write_sheets(laid, options.out, "sheet", options.cell)
    if options.blind is not None:
        shuffled, key = sheets.blinded(laid, options.blind)
        sheets.write_key(key, options.blind, options.out / "key.json")
        files += sheets.write_sheets(shuffled, options.out / "blind", "blind", options.cell)
    return files


def _sheet_row(
    painted: _Painted, rows: Mapping[tuple[str, str], Row], judge: str
) -> list[sheets.Cell]:
    cells = [
        sheets.Cell(painted.pair.content.stem, painted.content.pixels),
        sheets.Cell(painted.pair.style.stem, painted.style.pixels),
    ]
    for label, render in painted.renders.items():
        row = rows.get((painted.pair.title, label))
        if render is None or row is None:
            cells.append(sheets.Cell(label, None))
            continue
        cells.append(sheets.Cell(label, render.pixels, beneath(row, judge)))
    return cells


def _reveal(verdicts: Path, key: Path) -> int:
    counts, chosen = sheets.revealed(verdicts, key)
    for number, pair, label in chosen:
        print(f"{number}  {pair}: {label}")
    for label, count in counts.most_common():
        print(f"{label}: preferred on {count} of {len(chosen)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
