"""What a plan foretells: more for more, the fastest that fits, and what is then measured."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import computings
import pytest
from flowing import FLOWING

from engine.objective.costs import evaluation_bytes
from engine.plan.machine import Machine, Speed
from engine.plan.memory import (
    Outlook,
    job_bytes,
    largest_size,
    look_out,
    refuse_if_too_large,
)
from engine.plan.resolve import resolve
from engine.spec.choices import Device, NetworkName, OptimizerName, Precision
from engine.spec.computing import Computing
from engine.spec.errors import EngineError, InputError
from engine.spec.pictures import PictureRef
from engine.spec.plan import Plan
from engine.spec.request import Request, StyleRef
from engine.spec.scales import plan_scales
from engine.spec.tiles import Tiling

ROOT = Path(__file__).resolve().parents[3]
HOST = Computing(device=Device.CPU, name="a machine", precision=Precision.FLOAT32, winograd=True)
PLENTY = Machine(
    computing=computings.HOST,
    total=64_000_000_000,
    available=64_000_000_000,
    networks={NetworkName.VGG19: Path("vgg19.safetensors").absolute()},
)
CARD = replace(
    PLENTY,
    computing=computings.CARD,
)


def asked(**values: object) -> Request:
    """A request for VGG-19, of a photograph of 4:3 and a square painting."""
    photograph, painting = (
        PictureRef(name="picture", sha256="0" * 64, size=(64, height)) for height in (48, 64)
    )
    return Request(
        content=photograph,
        styles=(StyleRef(**painting.model_dump()),),
        settings=FLOWING.changed(**{"network": NetworkName.VGG19, **values}),
    )


def bytes_of(machine: Machine, tiling: Tiling, **values: object) -> int:
    request = asked(**values)
    return job_bytes(request.settings, machine, plan_scales(request)[-1], tiling)


def with_memory(memory: int, machine: Machine = PLENTY, **values: object) -> Plan:
    """The plan on a machine with so much memory."""
    return resolve(asked(**values), replace(machine, total=memory, available=memory))


def with_free(available: int, machine: Machine = PLENTY, **values: object) -> Outlook:
    """The outlook where so much memory is free."""
    request, here = asked(**values), replace(machine, available=available)
    return look_out(request, resolve(request, here), here)


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
    # Large tiles save less of an average pooling, whose whole image takes least.
    for side, share in ((512, 0.6 if pooling == "average" else 0.55), (128, 0.4)):
        whole, *tiled = (
            bytes_of(machine, tiling, output_size=2048, pooling=pooling)
            for tiling in (Tiling(), *(Tiling(side, kept) for kept in (4, 3, 2, 1, 0)))
        )
        assert whole > tiled[0]
        assert tiled == sorted(tiled, reverse=True)
        size = (2048, 1536)
        whole_alone, tiled_alone = (
            evaluation_bytes(
                asked(pooling=pooling).settings,
                machine.item,
                size,
                tiling,
                winograd=machine.winograd,
            )
            for tiling in (Tiling(), Tiling(side))
        )
        assert tiled_alone < share * whole_alone


def test_smaller_numbers_need_less() -> None:
    half = computings.HOST.model_copy(update={"precision": Precision.BFLOAT16, "winograd": False})
    short = replace(PLENTY, computing=half)
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
    request, here = asked(output_size=512, **values), replace(PLENTY, available=available)
    largest = largest_size(request, resolve(request, here), here)
    assert largest >= 128
    assert with_free(available, output_size=largest, **values).fits
    assert not with_free(available, output_size=largest + 16, **values).fits


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
    assert resolve(asked(output_size=2048), PLENTY).tiling == Tiling(192, 4)


def test_a_card_with_room_takes_the_picture_as_a_whole() -> None:
    assert resolve(asked(output_size=2048), CARD).tiling == Tiling()
    little = with_free(3_000_000_000, CARD, output_size=4096)
    assert little.fits
    assert little.tiling.side is not None


def test_tiles_asked_for_are_taken_whatever_fits() -> None:
    for available in (500_000_000, 64_000_000_000):
        assert with_memory(available, tile="none", output_size=1024).tiling == Tiling()
        assert with_memory(available, tile="100", output_size=1024).tiling.side == 100


def test_time_is_foretold_only_where_the_speed_is_known() -> None:
    request = asked(output_size=512)
    assert resolve(request, PLENTY).seconds is None
    slow = resolve(request, PLENTY, Speed(1e9, 0.0)).seconds
    fast = resolve(request, PLENTY, Speed(1e12, 0.0)).seconds
    patient = resolve(request, PLENTY, Speed(1e12, 1.0)).seconds
    assert slow is not None
    assert fast is not None
    assert patient is not None
    assert slow == pytest.approx(1000 * fast)
    steps = sum(scale.steps for scale in plan_scales(request))
    assert patient == pytest.approx(fast + steps)


def test_what_does_not_fit_is_refused_with_the_largest_size_that_would() -> None:
    planned = with_free(900_000_000, output_size=8192)
    with pytest.raises(EngineError) as refused:
        refuse_if_too_large(planned)
    assert "8192 px needs about" in refused.value.message
    assert "0.9 GB is free" in refused.value.message
    assert f"Set the output size to {planned.largest} px or less" in refused.value.remedy
    refuse_if_too_large(with_free(900_000_000, output_size=planned.largest))


def test_a_picture_too_narrow_is_refused() -> None:
    with pytest.raises(InputError, match="16 × 12 px"):
        resolve(asked(output_size=16), PLENTY)


def test_the_same_request_is_decided_alike_whatever_is_free() -> None:
    for machine in (PLENTY, CARD):
        plans = {
            resolve(asked(output_size=2048), replace(machine, available=free)).model_dump_json()
            for free in (10**8, 10**9, 10**10)
        }
        assert len(plans) == 1


def test_only_where_the_plan_does_not_fit_is_it_cut_smaller() -> None:
    plan = resolve(asked(output_size=2048), PLENTY)
    enough = int(plan.bytes / 0.9) + 1
    assert with_free(enough, output_size=2048).tiling == plan.tiling
    short = with_free(enough - 2, output_size=2048)
    assert short.tiling != plan.tiling
    assert short.fits
    assert short.bytes < plan.bytes
    tilings = [with_free(memory, output_size=2048).tiling
               for memory in range(int(5e8), int(5e9), int(5e7))]  # fmt: skip
    order = [(tiling.side, tiling.remembered) for tiling in tilings]
    assert order == sorted(order)
    assert order[-1] == (192, 4)


def test_a_plan_names_what_auto_and_a_missing_layer_became() -> None:
    request = asked(network="auto", content_layers="relu5_3:2")
    plan = resolve(request, PLENTY)
    assert plan.network is NetworkName.VGG19
    assert plan.network_file == str(PLENTY.networks[NetworkName.VGG19])
    assert plan.settings.content_layers == (("relu5_3", 2.0),)
    draft = resolve(request, replace(PLENTY, networks={}))
    assert draft.network is NetworkName.DRAFT
    assert draft.settings.content_layers == (("relu5_1", 2.0),)
    assert len(draft.orientations) == 4
    # What was asked stays what it was.
    assert request.settings.network is NetworkName.AUTO
    assert request.settings.content_layers == (("relu5_3", 2.0),)


def test_a_plan_keeps_what_was_decided_when_settings_change() -> None:
    plan = resolve(asked(network="auto"), replace(PLENTY, networks={}))
    changed = plan.applied_to(asked(network="auto", style_layers="relu5_4").settings)
    assert changed.network is NetworkName.DRAFT
    assert changed.style_layers == (("relu5_1", 1.0),)
    assert (changed.device, changed.precision) == (Device.CPU, Precision.FLOAT32)


def test_a_plan_is_the_same_after_a_round_trip_through_json() -> None:
    plan = resolve(asked(), PLENTY, Speed(1e12, 0.1))
    assert Plan.from_values(json.loads(json.dumps(plan.to_values())), "The plan") == plan


def test_a_start_picture_is_cropped_to_the_canvas_and_the_plan_says_where() -> None:
    start = PictureRef(name="wide", sha256="1" * 64, size=(400, 100))
    request = asked(start="picture").model_copy(update={"start": start})
    assert resolve(request, PLENTY).start == (0, 133, 100, 266)
    same = request.model_copy(update={"start": start.model_copy(update={"size": (640, 480)})})
    assert resolve(same, PLENTY).start is None
    assert resolve(request.asking(asked().settings), PLENTY).start is None


MEASURE = """
import json, sys
from pathlib import Path
from engine.run.device_memory import forget_peak, memory_used, peak_memory
from engine.run.machines import machine_for
from engine.storage.images import picture_from_pixels
from engine.plan.resolve import resolve
from engine.spec.job import job_of
from engine.spec.pictures import StyleImage
from engine.spec.settings import DEFAULTS
from engine.run.stylize import stylize
import numpy, torch

torch.set_num_threads(1)
values, network = json.loads(sys.argv[1]), Path(sys.argv[2])
pixels = numpy.random.default_rng(0).integers(0, 256, (48, 64, 3), numpy.uint8)
picture = picture_from_pixels(pixels, "picture")
job = job_of(picture, [StyleImage(picture)], DEFAULTS.changed(**values), network_weights=network)
planned = resolve(job.request, machine_for(job.request.settings, {}))
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
