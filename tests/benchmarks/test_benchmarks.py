"""The benchmarks run, print what they promise, and compare against the right thing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engine.spec.tiles import Tiling
from tests.benchmarks import draft, evaluation, large, quality
from tests.benchmarks.common import FLOWING, Way, evaluations

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = FLOWING.changed(network="vgg19", device="cpu", precision="float32")

Run = Callable[..., dict]


@pytest.fixture
def run(
    random_network: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a benchmark in this process and gives back its one JSON object."""

    def call(main: Callable[[], object], *words: str) -> dict:
        options = ["--json", "--device=cpu", f"--weights={random_network}", *words]
        monkeypatch.setattr("sys.argv", ["benchmark", *options])
        main()
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        found: dict = json.loads(out)
        return found

    return call


@pytest.mark.parametrize("loss", ["gram", "gram+mean+std", "wasserstein"])
@pytest.mark.parametrize("padding", ["zeros", "replicate"])
def test_the_reference_computes_the_same_gradient(
    random_network: Path, loss: str, padding: str
) -> None:
    settings = SETTINGS.changed(style_loss=loss, padding=padding)
    plain, ours = (
        evaluations(Way("", settings, tiling), random_network)(48)() for tiling in (None, Tiling())
    )
    assert float((plain - ours).norm() / plain.norm()) < 0.01


def test_evaluation_has_a_row_for_each_path(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "apart", lambda work, *given: work(*given))
    monkeypatch.setattr(evaluation, "convolution_ceiling", lambda _: 1e12)
    said = run(evaluation.main, "--size=64", "--rounds=2", "--tile=32")
    rows = {row["path"]: row for row in reversed(said["rows"])}
    assert said["rows"][0]["path"] == "reference"
    assert rows["reference"]["ratio"] == 1
    assert rows["float32"]["tile"] is None
    assert rows["tiled"]["tile"] == 32
    for row in said["rows"]:
        assert row["ratio"] == pytest.approx(rows["reference"]["seconds"] / row["seconds"])
        assert (row["gradient_error"] == 0) == (row["path"] == "reference")
        assert row["gradient_error"] < 0.05
        # All do the same work, whatever else they do for it.
        work, same = (r["ceiling_share"] * r["seconds"] for r in (row, rows["reference"]))
        assert work == pytest.approx(same)
        assert row["peak_bytes"] >= 0
    assert said["ceiling_flops"] == 1e12
    assert set(rows) | set(said["skipped"]) >= {"float32", "bfloat16", "float16"}
    assert said["size"] == 64
    assert said["threads"] == torch.get_num_threads()


def test_draft_sets_the_draft_network_beside_vgg19(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "apart", lambda work, *given: work(*given))
    full, small = run(draft.main, "--size=64", "--rounds=1")["rows"]
    assert (full["path"], small["path"]) == ("vgg19, whole", "draft, whole")
    assert full["ratio"] == full["memory"] == 1
    assert small["ratio"] == pytest.approx(full["seconds"] / small["seconds"])
    assert small["peak_bytes"] < full["peak_bytes"]


def test_large_sets_the_plan_beside_the_measurement(run: Run) -> None:
    said = run(large.main, "--size=96", "--tile=48")
    assert (said["size"], said["tile"]) == (96, 48)
    assert said["predicted_bytes"] > 100_000_000
    assert said["bytes_ratio"] == pytest.approx(said["predicted_bytes"] / said["peak_bytes"])
    assert said["seconds_ratio"] == pytest.approx(said["predicted_seconds"] / said["seconds"])
    assert said["job_bytes"] > said["predicted_bytes"]


def test_quality_judges_three_pairs_twice(run: Run) -> None:
    said = run(quality.main, "--size=32", "--steps=2", "--images=nowhere")
    assert len(said["rows"]) == 6
    assert {row["optimizer"] for row in said["rows"]} == {"adam", "lbfgs"}
    assert len({(row["content"], row["style"]) for row in said["rows"]}) == 3
    for row in said["rows"]:
        assert row["difference"] == pytest.approx(row["fast"] / row["float32"] - 1)
    assert said["worst"] == max(row["difference"] for row in said["rows"])


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.01, 0), (1.03, 1)])
def test_quality_fails_where_speed_costs_more_than_a_fiftieth(
    run: Run, monkeypatch: pytest.MonkeyPatch, factor: float, code: int
) -> None:
    def row(_job: object) -> quality.Row:
        return quality.Row("photograph", "painting", "adam", factor, 1.0, factor - 1)

    monkeypatch.setattr(quality, "row", row)
    codes = []
    run(lambda: codes.append(quality.main()))
    assert codes == [code]
