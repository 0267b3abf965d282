"""What a plan foretells: more for more, the fastest that fits, and what is then measured."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.objective.costs import evaluation_bytes
from engine.plan.machine import Machine, Speed
from engine.plan.planning import Plan, job_bytes, plan, refuse_if_too_large, smaller
from engine.spec.choices import Device, NetworkName, OptimizerName, Precision
from engine.spec.errors import EngineError, InputError
from engine.spec.job import Job, StyleImage
from engine.spec.scales import plan_scales
from engine.spec.settings import DEFAULTS
from engine.spec.tiles import SMALLEST_TILE, Tiling
from engine.storage.images import picture_from_pixels

ROOT = Path(__file__).resolve().parents[3]
PLENTY = Machine(Device.CPU, Precision.FLOAT32, True, 64_000_000_000, "a machine")
CARD = replace(PLENTY, device=Device.CUDA, precision=Precision.BFLOAT16, winograd=False)


def job(**values: object) -> Job:
    """A job for VGG-19 of a photograph of 4:3 and a square painting."""
    photograph, painting = (
        picture_from_pixels(np.zeros((height, 64, 3), np.uint8), "picture") for height in (48, 64)
    )
    settings = DEFAULTS.changed(**{"network": NetworkName.VGG19, **values})
    return Job(photograph, (StyleImage(painting),), settings, Path())


def bytes_of(machine: Machine, tiling: Tiling, **values: object) -> int:
    asked = job(**values)
    return job_bytes(asked.settings, machine, plan_scales(asked)[-1], tiling)


def with_memory(available: int, machine: Machine = PLENTY, **values: object) -> Plan:
    return plan(job(**values), replace(machine, available=available))


@pytest.mark.parametrize("machine", [PLENTY, CARD], ids=["CPU", "card"])
@pytest.mark.parametrize("tiling", [Tiling(), Tiling(256, 4), Tiling(256), Tiling(64)], ids=str)
def test_bytes_grow_with_the_picture(machine: Machine, tiling: Tiling) -> None:
    found = [bytes_of(machine, tiling, output_size=size) for size in (256, 512, 1024, 4096, 16384)]
    assert found == sorted(set(found))


@pytest.mark.parametrize("pooling", ["max", "average", "l2"])
@pytest.mark.parametrize("machine", [PLENTY, CARD], ids=["CPU", "card"])
def test_tiles_need_less_than_the_whole_and_less_the_less_is_remembered(
    machine: Machine, pooling: str
) -> None:
    for side, share in ((512, 0.55), (128, 0.4)):
        whole, *tiled = (
            bytes_of(machine, tiling, output_size=2048, pooling=pooling)
            for tiling in (Tiling(), *(Tiling(side, kept) for kept in (4, 3, 2, 1, 0)))
        )
        assert whole > tiled[0]
        assert tiled == sorted(tiled, reverse=True)
        size = (2048, 1536)
        whole_alone, tiled_alone = (
            evaluation_bytes(
                job(pooling=pooling).settings,
                machine.item,
                size,
                tiling,
                winograd=machine.winograd,
            )
            for tiling in (Tiling(), Tiling(side))
        )
        assert tiled_alone < share * whole_alone


def test_smaller_numbers_need_less() -> None:
    short = replace(PLENTY, precision=Precision.BFLOAT16, winograd=False)
    assert bytes_of(short, Tiling(), output_size=2048) < 0.6 * bytes_of(
        PLENTY, Tiling(), output_size=2048
    )


def test_lbfgs_is_planned_with_the_pairs_it_will_hold() -> None:
    pixels = 1024 * 768

    def taken(**values: object) -> int:
        return bytes_of(PLENTY, Tiling(256), output_size=1024, coarsest_size=1024, **values)

    adam = taken()
    many = taken(optimizer="lbfgs", steps=100, lbfgs_history=20)
    few = taken(optimizer="lbfgs", steps=5, lbfgs_history=20)
    assert many - adam == 20 * 2 * 12 * pixels
    assert many - few == 15 * 2 * 12 * pixels


@pytest.mark.parametrize("optimizer", list(OptimizerName))
@pytest.mark.parametrize("tile", ["auto", "none", "512"])
@pytest.mark.parametrize("available", [800_000_000, 3_000_000_000])
def test_the_largest_size_fits_and_16_px_more_does_not(
    available: int, tile: str, optimizer: str
) -> None:
    values = {"tile": tile, "optimizer": optimizer}
    largest = with_memory(available, output_size=512, **values).largest
    assert largest >= 128
    assert with_memory(available, output_size=largest, **values).fits
    assert not with_memory(available, output_size=largest + 16, **values).fits


def test_with_less_memory_less_is_remembered_and_tiles_get_smaller() -> None:
    found = [
        with_memory(memory, output_size=2048).tiling
        for memory in range(int(5e8), int(5e9), int(5e7))
    ]
    order = [(tiling.side, tiling.remembered) for tiling in found]
    assert order == sorted(order)
    assert len(set(order)) > 4
    assert order[0] == (64, 0)
    assert order[-1][0] == 192
    # On a CPU what is remembered takes a share of the memory, not most of it.
    assert 0 < order[-1][1] < 4
    assert plan(job(output_size=2048), PLENTY).tiling == Tiling(192, 4)


def test_a_card_with_room_takes_the_picture_as_a_whole() -> None:
    assert plan(job(output_size=2048), CARD).tiling == Tiling()
    little = with_memory(3_000_000_000, CARD, output_size=4096)
    assert little.fits
    assert little.tiling.side is not None


def test_tiles_asked_for_are_taken_whatever_fits() -> None:
    for available in (500_000_000, 64_000_000_000):
        assert with_memory(available, tile="none", output_size=1024).tiling == Tiling()
        assert with_memory(available, tile="100", output_size=1024).tiling.side == 100


def test_time_is_foretold_only_where_the_speed_is_known() -> None:
    asked = job(output_size=512)
    assert plan(asked, PLENTY).seconds is None
    slow = plan(asked, PLENTY, Speed(1e9, 0.0)).seconds
    fast = plan(asked, PLENTY, Speed(1e12, 0.0)).seconds
    patient = plan(asked, PLENTY, Speed(1e12, 1.0)).seconds
    assert slow is not None
    assert fast is not None
    assert patient is not None
    assert slow == pytest.approx(1000 * fast)
    steps = sum(scale.steps for scale in plan_scales(asked))
    assert patient == pytest.approx(fast + steps)


def test_what_does_not_fit_is_refused_with_the_largest_size_that_would() -> None:
    planned = with_memory(900_000_000, output_size=8192)
    with pytest.raises(EngineError) as refused:
        refuse_if_too_large(planned)
    assert "8192 px needs about" in refused.value.message
    assert "0.9 GB is free" in refused.value.message
    assert f"Set the output size to {planned.largest} px or less" in refused.value.remedy
    refuse_if_too_large(with_memory(900_000_000, output_size=planned.largest))


def test_a_picture_too_narrow_is_refused() -> None:
    with pytest.raises(InputError, match="16 × 12 px"):
        plan(job(output_size=16), PLENTY)


def test_tiles_get_smaller_until_they_can_get_no_smaller() -> None:
    sides, tiling = [], smaller(Tiling(), (1000, 700))
    while tiling is not None:
        sides.append(tiling.side)
        tiling = smaller(tiling, (1000, 700))
    assert sides == [500, 250, 125, 62, 31]
    assert sides[-1] >= SMALLEST_TILE


@pytest.mark.parametrize("size", [(1000, 250), (250, 1000), (160, 2560)])
def test_the_first_smaller_tile_cuts_a_narrow_picture_too(size: tuple[int, int]) -> None:
    tiling = smaller(Tiling(), size)
    assert tiling is not None
    assert not tiling.takes_whole((size[1], size[0]))


MEASURE = """
import json, sys
from pathlib import Path
from engine.run.devices import forget_peak, machine_for, memory_used, peak_memory
from engine.storage.images import picture_from_pixels
from engine.spec.job import Job, StyleImage
from engine.plan.planning import plan
from engine.spec.settings import DEFAULTS
from engine.run.stylize import stylize
import numpy, torch

torch.set_num_threads(1)
values, network = json.loads(sys.argv[1]), Path(sys.argv[2])
pixels = numpy.random.default_rng(0).integers(0, 256, (48, 64, 3), numpy.uint8)
picture = picture_from_pixels(pixels, "picture")
job = Job(picture, (StyleImage(picture),), DEFAULTS.changed(**values), network)
planned = plan(job, machine_for(job.settings))
cpu = torch.device("cpu")
idle = memory_used(cpu)
forget_peak(cpu)
for _ in stylize(job):
    pass
print(json.dumps([planned.bytes, peak_memory(cpu) - idle]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a peak cannot be begun anew")
@pytest.mark.parametrize(("size", "tile"), [(384, "none"), (384, "128"), (640, "256")])
def test_the_bytes_planned_are_within_a_fifth_of_those_measured(
    size: int, tile: str, random_network: Path
) -> None:
    values = {
        "network": "vgg19", "output_size": size, "coarsest_size": size, "tile": tile, "steps": 1,
        "style_loss": "gram", "device": "cpu", "precision": "float32",
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(values), str(random_network)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    planned, measured = json.loads(ended.stdout)
    assert planned == pytest.approx(measured, rel=0.2)
