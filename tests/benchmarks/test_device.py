"""The benchmark of a graphics card runs on a CPU, judges rightly, and survives its sections."""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from engine.objective import statistics
from engine.objective.evaluation import Evaluation
from engine.objective.objective import OrientedObjectives
from engine.spec.choices import NetworkName
from engine.weights.checkpoints import read_weights
from tests.benchmarks import bundle
from tests.benchmarks.device import __main__ as device
from tests.benchmarks.device import correctness, hazards, syncs
from tests.benchmarks.device.bench import Bench, float32_as
from tests.benchmarks.device.marks import NOT_SHOWN, marks
from tests.benchmarks.device.sections import SECTIONS, deadlines

pytestmark = pytest.mark.usefixtures("one_thread")

GOOD: dict[str, Any] = {
    "device": "cuda",
    "sections": {
        "correctness": {
            "ended": "finished",
            "found": {
                "formula, draft gram max": {"ieee": {"within": True}},
                "tiles, gram ieee": {"ieee": {"within": True}},
                "replay, draft": {"within": True},
                "flat, grey": {"ieee": {"within": True}},
                "failed recording": {"error": None, "within": True},
            },
        },
        "syncs": {"ended": "finished", "found": {"draft whole adam": {"waits": 0}}},
        "speed": {
            "ended": "finished",
            "found": {
                "ceiling": {"rates": {}, "best": 100.0},
                "vgg19 gram 1024": {"ratio": {"tf32": 4.5, "ieee": 9.0}},
                "vgg19 gram 2048": {"operations per second": 60.0},
            },
        },
        "latency": {"ended": "finished", "found": {"adam": {"steps in flight": 2}}},
        "memory": {
            "ended": "finished",
            "found": {
                "vgg19 1024 whole": {"predicted over reserved": 1.1},
                "vgg19 16384 auto": {
                    "predicted over reserved": 0.9,
                    "tiling": "tiles of 1024 px",
                    "finite": True,
                },
            },
        },
        "small card": {
            "ended": "finished",
            "found": {
                "8 GB, 4096 px": {"finished": True, "events": []},
                "1 GB left before": {"finished": True, "events": [{"kind": "smaller tiles"}]},
            },
        },
        "quality": {"ended": "finished", "found": {"adam": {"difference": 0.01}}},
        "end to end": {
            "ended": "finished",
            "found": {name: {"code": 0, "saved": True} for name in ("draft", "vgg19")},
        },
    },
}
"""A report in which all marks hold."""


def changed(value: object, section: str, *path: str) -> dict[str, Any]:
    """The good report with another value somewhere in a section's findings."""
    report = copy.deepcopy(GOOD)
    place = report["sections"][section]["found"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return report


def missed(report: dict[str, Any]) -> list[str]:
    return [mark.name for mark in marks(report) if mark.holds is False]


@pytest.fixture
def bench(random_network: Path, tmp_path: Path) -> Bench:
    """A bench on the CPU with a drawn network and the program's own pictures."""
    options = argparse.Namespace(notes=tmp_path / "notes.json", seconds=1000.0)
    return Bench("cpu", random_network, tmp_path, options)


def test_a_good_report_holds_all_marks() -> None:
    assert all(mark.holds is True for mark in marks(GOOD))


@pytest.mark.parametrize(
    ("name", "report"),
    [
        (
            "terms and gradients",
            changed(False, "correctness", "formula, draft gram max", "ieee", "within"),
        ),
        ("replays", changed({"within": False}, "correctness", "replay, draft")),
        ("flat paintings", changed({"skipped": "no time"}, "correctness", "flat, grey")),
        ("waits within steps", changed(1, "syncs", "draft whole adam", "waits")),
        (
            "times the reference, tf32",
            changed(3.9, "speed", "vgg19 gram 1024", "ratio", "tf32"),
        ),
        (
            "of the bfloat16 ceiling",
            changed(49.0, "speed", "vgg19 gram 2048", "operations per second"),
        ),
        ("steps in flight at Stop", changed(3, "latency", "adam", "steps in flight")),
        (
            "planned memory",
            changed(1.21, "memory", "vgg19 1024 whole", "predicted over reserved"),
        ),
        (
            "planned memory",
            changed(float("nan"), "memory", "vgg19 1024 whole", "predicted over reserved"),
        ),
        ("16384 px", changed(False, "memory", "vgg19 16384 auto", "finite")),
        ("jobs in little memory", changed(False, "small card", "1 GB left before", "finished")),
        ("smaller tiles", changed([], "small card", "1 GB left before", "events")),
        ("quality", changed(0.021, "quality", "adam", "difference")),
        ("quality", changed({"error": "RuntimeError: CUDA error"}, "quality", "adam")),
        ("render", changed(3, "end to end", "vgg19", "code")),
    ],
)
def test_a_mark_is_missed_alone(name: str, report: dict[str, Any]) -> None:
    assert missed(report) == [name]


def test_a_section_that_crashed_misses_its_marks_and_no_others() -> None:
    report = copy.deepcopy(GOOD)
    report["sections"]["memory"] = {"ended": "ended with code -6", "found": {}}
    assert missed(report) == ["planned memory", "16384 px"]


def test_what_needs_a_card_or_was_not_run_is_not_shown() -> None:
    report = {**GOOD, "device": "cpu", "sections": {"speed": GOOD["sections"]["speed"]}}
    assert {mark.holds for mark in marks(report)} == {NOT_SHOWN}


def test_sections_share_the_time_and_inherit_what_is_left_over() -> None:
    ends = deadlines(SECTIONS, 420, card=True)
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(420)
    without = deadlines(SECTIONS, 120, card=False)
    for section, before, end in zip(SECTIONS, [0, *without], without, strict=False):
        assert (end == before) == section.needs_card


def test_a_section_runs_in_a_process_of_its_own(random_network: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    words = ("--device=cpu", "--section=latency", f"--weights={random_network}")
    code = device.main([*words, f"--images={tmp_path}", f"--out={out}", "--seconds=300"])
    report = json.loads(out.read_text())
    assert code == 0
    (section,) = report["sections"].values()
    assert section["ended"] == "finished"
    for row in section["found"].values():
        assert row["ending"] == "stopped"
        assert row["steps in flight"] == 0
    assert {mark["holds"] for mark in report["marks"]} == {NOT_SHOWN}


def test_a_section_that_hangs_is_ended(
    random_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_GRACE", 0.01)  # torch alone takes longer
    options = argparse.Namespace(device="cpu", weights=random_network, images=tmp_path)
    found = device._run(SECTIONS[0], options, 0, {})
    assert found["ended"] == "ran out of time"
    assert found["found"] == {}


def test_tasks_that_fail_or_come_too_late_cost_only_themselves(bench: Bench) -> None:
    bench.add("broken", lambda: [][0])
    bench.add("long", lambda: 1, needs=10_000)
    bench.add("good", lambda value: value, 7)
    bench.run()
    found = json.loads(bench._notes.read_text())["found"]
    assert "IndexError" in found["broken"]["error"]
    assert found["long"] == {"skipped": "no time was left"}
    assert found["good"] == 7


@pytest.mark.parametrize("card", [False, True])
def test_every_section_says_beforehand_what_it_will_do(bench: Bench, card: bool) -> None:
    bench.card = card
    for section in SECTIONS:
        before = len(bench._tasks)
        section.load()(bench)
        names = [task.name for task in bench._tasks[before:]]
        assert len(set(names)) == len(names) > 0


def test_the_formulas_notice_a_wrong_gradient(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = bench.settings(network="draft", style_loss="wasserstein")
    found: Any = correctness.against_formula(bench, settings)["ieee"]
    assert found["within"] is True
    assert "style relu5_1" in found["terms"]
    evaluate: Callable[..., Evaluation] = OrientedObjectives.evaluate

    def wrong(self: OrientedObjectives, image: torch.Tensor, step: int = 0) -> Evaluation:
        seen = evaluate(self, image, step)
        return replace(seen, gradient=seen.gradient * 1.003)

    monkeypatch.setattr(OrientedObjectives, "evaluate", wrong)
    found = correctness.against_formula(bench, settings)["ieee"]
    assert found["within"] is False
    assert found["norm"] == pytest.approx(1.003, abs=1e-4)


@pytest.mark.parametrize("products", ["ieee", "tf32"])
def test_float32_is_computed_as_asked_and_then_as_before(products: str) -> None:
    convolving: Any = torch.backends.cudnn
    before = convolving.conv.fp32_precision, torch.backends.cuda.matmul.allow_tf32
    with float32_as("ieee", products):
        assert convolving.conv.fp32_precision == "ieee"
        # Both of torch's ways to ask: where they disagree, products raise.
        assert torch.backends.cuda.matmul.fp32_precision == products
        assert torch.backends.cuda.matmul.allow_tf32 is (products == "tf32")
    assert (convolving.conv.fp32_precision, torch.backends.cuda.matmul.allow_tf32) == before


def test_reads_of_the_device_are_counted() -> None:
    values = torch.ones(3)
    assert syncs._reads(lambda: values.add_(1)) == 0
    assert syncs._reads(lambda: float(values.sum())) == 8


def test_errors_of_sums_are_those_of_the_gram_matrix(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = hazards.gram_errors(bench, 8, 1 << 10)
    assert 0 < found["float32"] < 1e-5
    assert found.keys() == {"float32", "bfloat16", "float16"}

    def wrong(features: torch.Tensor) -> statistics.Statistics:
        seen = statistics.measure(features)
        return replace(seen, outer=seen.outer * 1.01)

    monkeypatch.setattr(hazards, "measure_statistics", wrong)
    assert hazards.gram_errors(bench, 8, 1 << 10)["float32"] == pytest.approx(0.01, rel=1e-3)


def test_the_bundle_is_what_the_benchmark_needs(
    random_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("content", "style"):
        (tmp_path / kind).mkdir()
        for number in range(3):
            Image.new("RGB", (1500, 600)).save(tmp_path / kind / f"{number}.jpg")
    to = tmp_path / "bundle"
    words = (f"--weights={random_network}", f"--images={tmp_path}", f"--to={to}")
    monkeypatch.setattr("sys.argv", ["bundle", *words])
    bundle.main()
    names = sorted(path.relative_to(to).as_posix() for path in to.rglob("*") if path.is_file())
    pictures = [f"{kind}/{number}.jpg" for kind in ("content", "style") for number in range(2)]
    assert names == [*pictures, "vgg19.safetensors"]
    with Image.open(to / pictures[0]) as picture:
        assert max(picture.size) == 1024
    assert (to / "vgg19.safetensors").stat().st_size < 0.51 * random_network.stat().st_size
    halves, wholes = (
        read_weights(path, NetworkName.VGG19).tensors["conv3_2.weight"]
        for path in (to / "vgg19.safetensors", random_network)
    )
    assert float((halves - wholes).norm() / wholes.norm()) < 1e-3
