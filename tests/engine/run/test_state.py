"""A job killed at any step goes on, in another process, to bit for bit the same picture."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from running import painted, run, small_job
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from engine.run.saved_jobs import load_snapshot, save_snapshot
from engine.run.state import Snapshot
from engine.spec.errors import InputError, NewerFormatError
from engine.spec.events import Place, Retuned
from engine.spec.job import Job, Retune
from engine.spec.tiles import Tiling

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.usefixtures("one_thread")

GO_ON = """
import hashlib, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from running import painted, small_job
from engine.run.saved_jobs import load_snapshot

network = Path(sys.argv[1]) if sys.argv[1] else None
for file in sys.argv[2:]:
    snapshot = load_snapshot(Path(file))
    job = small_job(network, styles=len(snapshot.request.styles))
    job = type(job)(snapshot.request, job.pictures, network)
    print(hashlib.sha256(painted(job, snapshot=snapshot).tobytes()).hexdigest())
"""
"""Takes jobs up in a fresh process that has nothing but their files and the pictures."""


def gone_on_elsewhere(files: Sequence[Path], network: Path | None) -> list[str]:
    """The hashes of the pixels that a fresh process makes from saved jobs."""
    ended = subprocess.run(
        [sys.executable, "-c", GO_ON, str(network or ""), *map(str, files)],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'engine'}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def saved_at(steps: set[int], folder: Path) -> Callable[[Snapshot], None]:
    """Writes a job down the first time it stands at each of these steps."""

    def keep(snapshot: Snapshot) -> None:
        path = folder / f"{snapshot.state.steps}.state"
        if snapshot.state.steps in steps and not path.exists():
            save_snapshot(snapshot, path)

    return keep


WAYS = {
    "adam": {},
    "lbfgs": {"optimizer": "lbfgs", "lbfgs_history": 3},
    "descent": {"optimizer": "gradient-descent"},
    "tiled": {"tile": "16", "style_layers": "relu1_1, relu3_1"},
    "noise": {"start": "mix"},
    "pyramid": {"canvas": "pyramid", "learning_rate_decay": 0.2},
    "matched": {"matched_weight": 1, "matched_layers": "relu1_1, relu3_1", "match_canvas": 0.5},
    "matched again": {
        "matched_weight": 1,
        "matched_layers": "relu1_1",
        "match_refresh": 1,
        "match_turns": "mirror",
    },
    "pyramid, lbfgs": {"canvas": "pyramid", "optimizer": "lbfgs", "lbfgs_history": 3},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_job_killed_at_any_step_goes_on_to_the_same_pixels(
    way: str, make_job: Callable[..., Job], tmp_path: Path, random_network: Path
) -> None:
    """All six steps, the change of scale (after the fourth) and the end among them."""
    job = make_job(**WAYS[way])
    wanted = painted(job, keep=saved_at(set(range(7)), tmp_path))
    files = sorted(tmp_path.glob("*.state"))
    assert [file.stem for file in files] == list("0123456")
    digest = hashlib.sha256(wanted.tobytes()).hexdigest()
    assert gone_on_elsewhere(files, random_network) == [digest] * len(files)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_drafted_job_killed_at_any_step_goes_on_to_the_same_pixels(
    optimizer: str, tmp_path: Path
) -> None:
    job = small_job(None, optimizer=optimizer)
    steps = {1, 3, 8, 9, 12}
    wanted = painted(job, keep=saved_at(steps, tmp_path))
    digest = hashlib.sha256(wanted.tobytes()).hexdigest()
    files = [tmp_path / f"{step}.state" for step in steps]
    assert gone_on_elsewhere(files, None) == [digest] * len(files)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_retuned_job_goes_on_under_what_it_was_retuned_to(
    optimizer: str, make_job: Callable[..., Job], tmp_path: Path, every_step_shows: None
) -> None:
    job = make_job(optimizer=optimizer, styles=2)
    settings = job.request.settings
    first = settings.changed(content_weight=4.0, style_layers="relu1_1")
    second = first.changed(style_layers="relu1_2, relu3_1", smoothness=1.0)
    wishes = {2: Retune(first, (1.0, 0.5)), 3: Retune(second, (1.0, 0.5))}
    wanted, _ = run(job, lambda p: wishes.get(p.step), keep=saved_at({3, 4, 5}, tmp_path))
    assert wanted.pastiche is not None
    assert len(wanted.events) == 2
    for step in (3, 4, 5):
        snapshot = load_snapshot(tmp_path / f"{step}.state")
        rest = {3: wishes[3]} if step == 3 and len(snapshot.events) == 1 else {}
        outcome, _ = run(job, lambda p, rest=rest: rest.get(p.step), snapshot=snapshot)
        assert outcome.pastiche is not None
        assert np.array_equal(outcome.pastiche.pixels, wanted.pastiche.pixels), step
        assert outcome.events == wanted.events


def test_what_is_counted_goes_on_too(
    make_job: Callable[..., Job], tmp_path: Path, every_step_shows: None
) -> None:
    job = make_job()
    whole, _ = run(job, keep=saved_at({3}, tmp_path))
    snapshot = load_snapshot(tmp_path / "3.state")
    snapshot = replace(snapshot, state=replace(snapshot.state, seconds=100.0))
    outcome, seen = run(job, snapshot=snapshot)
    assert whole.pastiche is not None
    assert outcome.pastiche is not None
    assert outcome.pastiche.progress.step == whole.pastiche.progress.step
    assert outcome.pastiche.progress.evaluations == whole.pastiche.progress.evaluations
    assert outcome.pastiche.progress.total == whole.pastiche.progress.total
    assert [p.step for p in seen if not p.message] == [4, 5, 6]
    assert outcome.pastiche.progress.seconds > 100


@pytest.fixture
def kept(make_job: Callable[..., Job], tmp_path: Path) -> Path:
    """A saved job, in the middle of its first scale."""
    run(make_job(optimizer="lbfgs"), keep=saved_at({3}, tmp_path))
    return tmp_path / "3.state"


def test_a_saved_job_is_the_same_after_a_round_trip(kept: Path, tmp_path: Path) -> None:
    snapshot = load_snapshot(kept)
    save_snapshot(snapshot, tmp_path / "again.state")
    again = load_snapshot(tmp_path / "again.state")
    assert (again.request, again.plan, again.events) == (
        snapshot.request, snapshot.plan, snapshot.events,
    )  # fmt: skip
    assert snapshot.state.descent is not None
    assert again.state.descent is not None
    one, other = snapshot.state.descent.tensors(), again.state.descent.tensors()
    assert one.keys() == other.keys()
    assert {"image", "memory.before", "memory.step.0", "memory.step.1"} <= one.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    numbers = (
        "scale",
        "step",
        "steps",
        "evaluations",
        "rollbacks",
        "seconds",
        "tiling",
        "measured",
    )
    assert all(getattr(again.state, n) == getattr(snapshot.state, n) for n in numbers)


def header(path: Path) -> dict[str, object]:
    with safe_open(path, "pt") as file:
        return dict(json.loads(file.metadata()["gramarye"]))


def rewritten(path: Path, words: dict[str, object], **tensors: torch.Tensor) -> Path:
    save_file(load_file(path) | tensors, path, {"gramarye": json.dumps(words)})
    return path


def test_a_saved_job_of_a_newer_version_is_refused_and_left(kept: Path) -> None:
    rewritten(kept, header(kept) | {"format": 99})
    before = kept.read_bytes()
    with pytest.raises(NewerFormatError, match="newer version"):
        load_snapshot(kept)
    assert kept.read_bytes() == before


def test_a_job_saved_in_the_first_format_is_the_job_it_was(
    make_job: Callable[..., Job], tmp_path: Path, every_step_shows: None
) -> None:
    """Until then style strength was a factor on the style weight alone."""
    script = tuple(
        Retuned(at=Place(scale=scale, step=step), settings={"style_weight": weight}, shares=(1.0,))
        for scale, step, weight in ((1, 1, 40.0), (2, 5, 8.0))
    )
    run(replace(make_job(style_weight=8.0), script=script), keep=saved_at({3}, tmp_path))
    path = tmp_path / "3.state"
    today, words = load_snapshot(path), header(path)
    assert (today.events, today.script) == (script[:1], script[1:])
    former = {"style_strength": 0.8, "style_weight": 10.0}
    for name, number in (("request", 1), ("plan", 2)):
        value: Any = words[name]
        words[name] = {**value, "format": number, "settings": value["settings"] | former}
    for name, strength in (("events", 4.0), ("script", 0.8)):
        events: Any = words[name]
        words[name] = [{**events[0], "settings": {"style_strength": strength}}]
    again = load_snapshot(rewritten(path, words | {"format": 1}))
    assert (again.request, again.plan) == (today.request, today.plan)
    assert (again.events, again.script) == (today.events, today.script)


BROKEN: dict[str, Callable[[Path], object]] = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("a saved job"),
    "no words": lambda path: save_file(load_file(path), path),
    "no state": lambda path: rewritten(path, header(path) | {"state": {}}),
    "no request": lambda path: rewritten(path, header(path) | {"request": {}}),
    "a list of events": lambda path: rewritten(path, header(path) | {"events": [{}]}),
    "another size": lambda path: rewritten(path, header(path), image=torch.zeros(1, 3, 4, 4)),
    "other numbers": lambda path: rewritten(
        path, header(path), average=load_file(path)["average"].double()
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_saved_job_is_refused_in_words(how: str, kept: Path) -> None:
    BROKEN[how](kept)
    with pytest.raises(InputError) as refused:
        load_snapshot(kept)
    assert kept.name in refused.value.message


def test_a_saved_job_without_its_pyramid_is_refused(
    make_job: Callable[..., Job], tmp_path: Path
) -> None:
    job, path = make_job(canvas="pyramid"), tmp_path / "5.state"
    run(job, keep=saved_at({5}, tmp_path))
    assert load_snapshot(path).state.begun.held.ndim == 1
    tensors = {name: tensor for name, tensor in load_file(path).items() if name != "held"}
    save_file(tensors, path, {"gramarye": json.dumps(header(path))})
    with pytest.raises(InputError, match="is damaged"):
        load_snapshot(path)


@pytest.mark.parametrize("wrong", ["shape", "numbers", "kind"])
def test_a_saved_job_with_another_map_is_refused_or_harmless(
    wrong: str, make_job: Callable[..., Job], tmp_path: Path
) -> None:
    job, path = make_job(matched_weight=1, matched_layers="relu3_1"), tmp_path / "5.state"
    run(job, keep=saved_at({5}, tmp_path))
    tensors = load_file(path)
    found = tensors["matches"]
    tensors["matches"] = {
        "shape": found[1:].contiguous(),
        "numbers": torch.full_like(found, 2**30),
        "kind": found.long(),
    }[wrong]
    save_file(tensors, path, {"gramarye": json.dumps(header(path))})
    if wrong != "numbers":
        with pytest.raises(InputError, match="is damaged"):
            load_snapshot(path)
        return
    # Each place is held against the last entry there is.
    assert painted(job, snapshot=load_snapshot(path)).shape


def test_a_missing_saved_job_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.state"):
        load_snapshot(tmp_path / "none.state")


@pytest.mark.usefixtures("never_waits")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_no_saved_job(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.state")
    with pytest.raises(InputError, match=r"a\.state cannot be read: this is a pipe"):
        load_snapshot(tmp_path / "a.state")


def test_other_network_weights_than_it_was_begun_with_are_refused(
    kept: Path, make_job: Callable[..., Job]
) -> None:
    snapshot = load_snapshot(kept)
    other = snapshot.plan.model_copy(update={"network_sha256": "0" * 64})
    outcome, _ = run(make_job(optimizer="lbfgs"), snapshot=replace(snapshot, plan=other))
    assert isinstance(outcome.error, InputError)
    assert "not the file that the picture was begun with" in outcome.error.message


def test_a_saved_job_keeps_the_tiles_that_memory_forced(kept: Path) -> None:
    snapshot = load_snapshot(kept)
    state = replace(snapshot.state, tiling=Tiling(16, 1))
    save_snapshot(replace(snapshot, state=state), kept)
    assert load_snapshot(kept).state.tiling == Tiling(16, 1)
