"""Where numbers are computed and how, as settings ask for it or as this machine does it best."""

from __future__ import annotations

import torch

from engine.network.convolutions import Arithmetic, fused_available, winograd_available
from engine.run.cards import Card, best_card, cards, roomy, why_no_card
from engine.spec.choices import Device, Precision
from engine.spec.computing import Computing
from engine.spec.errors import EngineError
from engine.spec.settings import Settings

_DTYPES = {
    Precision.FLOAT32: torch.float32,
    Precision.BFLOAT16: torch.bfloat16,
    Precision.FLOAT16: torch.float16,
}


def choose_computing(settings: Settings) -> Computing:
    """The device and numbers the settings ask for, or the best this machine has, unproven.

    Raises:
        EngineError: What is asked for by name is not here.
    """
    match settings.device.kind:
        case Device.CPU:
            return _on_cpu(settings.precision)
        case Device.MPS:
            return _on_mps(settings.precision)
        case Device.CUDA:
            return _on_card(_card_named(settings.device), settings.precision)
    best = best_card(cards())
    if best is not None and roomy(best):
        return _on_card(best, settings.precision)
    if torch.backends.mps.is_available():
        return _on_mps(settings.precision)
    return _on_cpu(settings.precision)


def host() -> Computing:
    """How this machine's CPU computes float32."""
    winograd = winograd_available()
    return Computing(
        device=Device.CPU,
        name=f"CPU, {torch.get_num_threads()} threads",
        precision=Precision.FLOAT32,
        winograd=winograd,
        fused=not winograd and fused_available(torch.float32),
        channels_last=True,
    )


def _on_cpu(precision: Precision) -> Computing:
    if precision is Precision.AUTO:
        precision = Precision.BFLOAT16 if _cpu_has_bfloat16() else Precision.FLOAT32
    if precision is Precision.FLOAT32:
        return host()
    fused = fused_available(_DTYPES[precision])
    return host().model_copy(update={"precision": precision, "winograd": False, "fused": fused})


def _on_mps(precision: Precision) -> Computing:
    if not torch.backends.mps.is_available():
        raise _absent("MPS device")
    if precision is Precision.AUTO:
        precision = Precision.FLOAT32
    # MPSGraph has ignored how a convolution's weights lie in memory: they lie plainly there.
    return Computing(device=Device.MPS, name="Apple GPU", precision=precision, products=True)


def _on_card(card: Card, precision: Precision) -> Computing:
    if precision is Precision.AUTO:
        half = Precision.BFLOAT16 if card.bfloat16 else Precision.FLOAT16
        precision = half if card.tensor_cores else Precision.FLOAT32
    if precision is Precision.BFLOAT16 and not card.bfloat16:
        raise EngineError(
            f"{card.name} does not compute bfloat16.", "Choose auto, float16 or float32."
        )
    alone = torch.cuda.device_count() == 1
    return Computing(
        device=Device.CUDA if alone else Device(f"cuda:{card.index}"),
        name=card.name,
        precision=precision,
        # Without tensor cores it is up to 19 times slower.
        channels_last=card.bfloat16 or (card.tensor_cores and precision is Precision.FLOAT16),
        fused=torch.version.hip is None,
        tf32=card.bfloat16,
        products=True,
        recordings=True,
    )


def _card_named(device: Device) -> Card:
    here = cards()
    if device is not Device.CUDA:
        here = tuple(card for card in here if device.value == f"cuda:{card.index}")
    best = best_card(here)
    if best is not None:
        return best
    raise _absent(f"{device} device", *(f"{card.name} {card.fault}." for card in here))


def _absent(what: str, *reasons: str) -> EngineError:
    here = ["cpu"]
    if best_card(cards()) is not None:
        here.insert(0, "cuda")
    if torch.backends.mps.is_available():
        here.insert(0, "mps")
    reason = " ".join(reasons) or why_no_card()
    return EngineError(
        f"There is no usable {what} on this machine." + (f" {reason}" if reason else ""),
        f"Choose auto or one of: {', '.join(here)}.",
    )


def _cpu_has_bfloat16() -> bool:
    """Whether bfloat16 is computed by the hardware; emulated, it is a hundred times slower."""
    supported = (torch.cpu._is_amx_tile_supported, torch.cpu._is_avx512_bf16_supported)
    return any(ask() for ask in supported)


def arithmetic_of(computing: Computing) -> Arithmetic:
    """What the network needs to know of how numbers are computed."""
    return Arithmetic(
        torch.device(computing.device),
        _DTYPES[computing.precision],
        winograd=computing.winograd,
        fused=computing.fused,
        channels_last=computing.channels_last,
        products=computing.products,
        recordings=computing.recordings,
    )


def set_up(computing: Computing) -> Arithmetic:
    """Have everything from here on computed so; what torch keeps for the whole process is set."""
    if computing.kind is Device.CUDA:
        torch.cuda.set_device(torch.device(computing.device).index or 0)
    convolutions = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    convolutions.fp32_precision = "tf32" if computing.tf32 else "ieee"
    return arithmetic_of(computing)
