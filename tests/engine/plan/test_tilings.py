"""How a card cuts images: nothing too large to count, and step by step less where it fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import computings
import pytest
from flowing import FLOWING

from engine.objective.costs import evaluation_bytes
from engine.plan.machine import Machine
from engine.plan.memory import job_bytes, look_out, smaller
from engine.plan.resolve import resolve
from engine.spec.choices import Device, NetworkName, OptimizerName, Precision
from engine.spec.computing import Computing
from engine.spec.layers import CHANNELS
from engine.spec.orientations import orientations
from engine.spec.pictures import PictureRef
from engine.spec.plan import Plan
from engine.spec.request import Request, StyleRef
from engine.spec.scales import plan_scales
from engine.spec.tiles import WHOLE, Tiling

CARD = Machine(
    computings.CARD,
    total=200_000_000_000,
    available=200_000_000_000,
    networks={NetworkName.VGG19: Path("vgg19.safetensors").absolute()},
)
TWELVE = replace(CARD, total=12_000_000_000, available=10_500_000_000)
CPU = replace(
    CARD, computing=Computing(device=Device.CPU, name="a CPU", precision=Precision.FLOAT32)
)


def asked(height: int = 48, **values: object) -> Request:
    """A request of a photograph 64 px wide and a square painting."""
    photograph, painting = (
        PictureRef(name="picture", sha256="0" * 64, size=(64, tall)) for tall in (height, 64)
    )
    return Request(
        content=photograph,
        styles=(StyleRef(**painting.model_dump()),),
        settings=FLOWING.changed(**{"network": NetworkName.VGG19, **values}),
    )


def planned(machine: Machine = CARD, height: int = 48, **values: object) -> Plan:
    return resolve(asked(height, **values), machine)


@pytest.mark.parametrize("network", [NetworkName.VGG19, NetworkName.DRAFT])
@pytest.mark.parametrize("tile", ["auto", "none", "16384"])
def test_no_features_on_a_card_are_too_many_to_count_in_31_bits(
    tile: str, network: NetworkName
) -> None:
    widest = CHANNELS[network][0]
    found = {}
    for size in (4096, 5760, 5792, 5808, 8192, 11568, 11584, 11600, 16384):
        plan = planned(height=64, network=network, tile=tile, output_size=size)
        found[size] = plan.tiling.takes_whole((size, size))
    assert found == {size: widest * size * size < 2**31 for size in found}


def test_a_cpu_counts_further_and_takes_the_whole_as_it_is_told() -> None:
    assert planned(CPU, 64, tile="none", output_size=8192).tiling == WHOLE


def test_a_painting_too_large_to_count_is_cut_as_well() -> None:
    # 8192 x 2048 are few enough; the painting beside it is 8192 x 8192.
    plan = planned(height=16, tile="none", output_size=8192)
    assert 64 * 8192 * 2048 < 2**31
    assert plan.tiling.side is not None


def test_tiles_that_cannot_be_as_they_were_set_are_said() -> None:
    set_to_none = planned(tile="none", output_size=8192)
    assert set_to_none.notes == (
        f"More than the graphics card can count at once; cut into {set_to_none.tiling}.",
    )
    for tile, size in (("none", 4096), ("512", 8192), ("auto", 8192)):
        assert planned(tile=tile, output_size=size).notes == ()


@pytest.mark.parametrize("machine", [CARD, CPU], ids=["card", "CPU"])
@pytest.mark.parametrize("tile", ["none", "auto", "1000"])
@pytest.mark.parametrize("size", [48, 1000, 4096])
def test_where_memory_ran_out_each_next_try_takes_less_until_there_is_none(
    size: int, tile: str, machine: Machine
) -> None:
    plan = planned(machine, tile=tile, output_size=size)
    scale, tiling, tried = plan.scales[-1], plan.tiling, []
    while (leaner := smaller(plan, plan.computing, scale, tiling)) is not None:
        assert leaner.is_smaller_than(tiling)
        tiling = leaner
        tried.append(job_bytes(plan.settings, machine, scale, tiling))
    first = job_bytes(plan.settings, machine, scale, plan.tiling)
    assert [first, *tried] == sorted({first, *tried}, reverse=True)
    assert tried


def test_the_next_try_after_memory_ran_out_is_the_fastest_that_takes_less() -> None:
    plan = planned(tile="none", output_size=4096)
    scale = plan.scales[-1]

    def evaluation(tiling: Tiling) -> float:
        return evaluation_bytes(plan.settings, 2, scale.canvas, tiling, winograd=False)

    tiling = Tiling(1024, 4)
    leaner = smaller(plan, plan.computing, scale, tiling)
    # Not everything that is remembered is forgotten at once.
    assert leaner is not None
    assert (leaner.side, leaner.remembered) == (1024, 3)
    assert evaluation(leaner) < evaluation(tiling)


def test_a_picture_too_small_for_planned_tiles_is_cut_all_the_same() -> None:
    plan = planned(output_size=48)
    leaner = smaller(plan, plan.computing, plan.scales[-1], plan.tiling)
    assert leaner is not None
    assert not leaner.takes_whole((36, 48))


@pytest.mark.parametrize("network", [NetworkName.VGG19, NetworkName.DRAFT])
@pytest.mark.parametrize("height", [48, 64])
def test_8192_px_with_adam_fit_a_card_of_12_gb(height: int, network: NetworkName) -> None:
    request = asked(height, network=network, output_size=8192, optimizer=OptimizerName.ADAM)
    outlook = look_out(request, resolve(request, TWELVE), TWELVE)
    assert outlook.fits
    assert outlook.bytes < 0.9 * TWELVE.available


@pytest.mark.parametrize("network", [NetworkName.VGG19, NetworkName.DRAFT])
def test_a_recording_holds_its_own_image_and_each_orientations_gradient(
    network: NetworkName,
) -> None:
    """On a card whole images of up to 4 megapixels are replayed; elsewhere nothing is."""

    def images(machine: Machine, size: int, tiling: Tiling) -> float:
        """What is held beside an evaluation, in images."""
        # Small paintings: that measuring them takes less than an evaluation.
        request = asked(64, network=network, output_size=size, stroke_size=0.5)
        settings, scale = request.settings.on(network), plan_scales(request)[-1]
        taken = evaluation_bytes(settings, machine.item, scale.canvas, tiling, winograd=False)
        return (job_bytes(settings, machine, scale, tiling) - taken) / (12 * size * size)

    looks = len(orientations(asked(network=network).settings.on(network)))
    for machine, size, recorded in ((CARD, 2048, 1 + looks), (CARD, 2064, 0), (CPU, 2048, 0)):
        whole, tiled = (images(machine, size, tiling) for tiling in (WHOLE, Tiling(512, 4)))
        assert whole - tiled == pytest.approx(recorded, abs=0.01)
