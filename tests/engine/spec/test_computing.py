"""The ladder from everything a device can do down to float32 on the CPU."""

from __future__ import annotations

import itertools
import json

import pytest
from computings import CARD, HOST

from engine.spec.choices import Device, Precision
from engine.spec.computing import Computing, Rung
from engine.spec.plan import Plan


def climbed(computing: Computing) -> list[Computing]:
    """Rung by rung to the end."""
    found = [computing]
    while (lower := found[-1].lowered("gave no numbers", HOST)) is not None:
        found.append(lower)
    return found


def test_a_card_goes_down_rung_by_rung_and_ends_on_the_cpu() -> None:
    way = climbed(CARD)
    lost = [lower.given_up[-1].rung for lower in way[1:]]
    assert lost == [
        Rung.RECORDINGS,
        Rung.PRODUCTS,
        Rung.FUSED,
        Rung.CHANNELS_LAST,
        Rung.PRECISION,
        Rung.TF32,
        Rung.DEVICE,
        Rung.WINOGRAD,
    ]
    assert [one.numbers for one in way[4:7]] == ["bfloat16", "TF32", "float32"]
    end = way[-1]
    assert (end.device, end.precision, end.winograd) == (Device.CPU, Precision.FLOAT32, False)
    assert end.rungs == ()
    for upper, lower in itertools.pairwise(way):
        assert upper != lower


def test_half_precision_on_a_cpu_ends_as_the_cpu_does_float32() -> None:
    half = HOST.model_copy(update={"precision": Precision.BFLOAT16, "winograd": False})
    lower = half.lowered("gave no numbers", HOST)
    assert lower is not None
    assert lower.gives_the_same_as(HOST)
    assert lower.words == "CPU, 2 threads, float32 (bfloat16 gave no numbers)"


def test_words_say_what_is_computed_and_what_was_given_up() -> None:
    half = Computing(
        device=Device.CUDA,
        name="GTX 1660",
        precision=Precision.FLOAT16,
        products=True,
    )
    assert half.words == "GTX 1660, float16"
    assert (
        half.without(Rung.PRECISION, "gave no numbers", HOST).words
        == "GTX 1660, float32 (float16 gave no numbers)"
    )
    float32 = CARD.model_copy(update={"precision": Precision.FLOAT32})
    assert float32.words == "NVIDIA GeForce RTX 4090, TF32"


def test_suspects_go_first() -> None:
    lower = CARD.lowered("gave wrong numbers", HOST, {Rung.PRECISION, Rung.DEVICE})
    assert lower is not None
    assert lower.precision is Precision.FLOAT32
    assert lower.recordings
    assert CARD.lowered("x", HOST, {Rung.WINOGRAD}) is None


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_plan_of_the_first_format_is_computed_as_it_was(device: str) -> None:
    """As the version before wrote it, when how numbers are computed went unsaid."""
    cpu = device == "cpu"
    words = "CPU, 2 threads" if cpu else "NVIDIA GeForce RTX 4090"
    values = {
        "settings": {"network": "draft", "device": device, "precision": "float32"},
        "network_file": "",
        "device": f"{words}, float32",
        "winograd": cpu,
        "fused": False,
        "orientations": [{"quarters": 0}],
        "tiling": {"side": None, "remembered": 0},
        "scales": [{"canvas": [64, 64], "styles": [[64, 64]], "steps": 3}],
        "bytes": 1000,
    }
    plan = Plan.from_values(json.loads(json.dumps(values)), "The plan")
    computing = plan.computing
    assert (computing.kind.value, computing.name) == (device, words)
    assert computing.winograd is cpu
    assert computing.products is computing.recordings is computing.tf32 is (not cpu)
    assert computing.channels_last
    assert Plan.from_values(plan.to_values(), "The plan") == plan
