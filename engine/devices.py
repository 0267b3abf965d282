"""Where the arithmetic happens, in which numbers, and how much memory a job will take there."""

from __future__ import annotations

import sys

import psutil
import torch

from engine.choices import Device, OptimizerName, Precision
from engine.convolutions import Arithmetic, winograd_available
from engine.errors import EngineError
from engine.settings import DEFAULTS, Settings

_POOL_INDEX_BYTES = 8 * (64 / 4 + 128 / 16 + 256 / 64 + 512 / 256)
"""Where each maximum was, per image pixel down to the fifth stage."""

_IMAGES = {OptimizerName.ADAM: 8, OptimizerName.GRADIENT_DESCENT: 6, OptimizerName.LBFGS: 10}
"""Float32 images held at once by the canvas and the optimiser, the L-BFGS history left out."""

_OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory", "ALLOC_FAILED")
"""How CUDA, Linux, Metal, Windows and cuBLAS say in words that memory ran out."""

_RESERVE = 0.9
"""The share of free memory a job may plan with; the rest is for the desktop and for surprises."""


def choose_arithmetic(settings: Settings) -> Arithmetic:
    """The device and numbers the settings ask for, or the best this machine has.

    Raises:
        EngineError: The device asked for by name is not here.
    """
    device = _choose_device(settings.device)
    dtype = _choose_dtype(device, settings.precision)
    winograd = device.type == "cpu" and dtype is torch.float32 and winograd_available()
    return Arithmetic(device, dtype, winograd)


def _choose_device(wanted: Device) -> torch.device:
    present = {
        Device.CUDA: torch.cuda.is_available(),
        Device.MPS: torch.backends.mps.is_available(),
        Device.CPU: True,
    }
    if wanted is Device.AUTO:
        return torch.device(next(device for device, here in present.items() if here))
    if not present[wanted]:
        here = ", ".join(device for device, is_here in present.items() if is_here)
        raise EngineError(
            f"There is no usable {wanted} device on this machine.",
            f"Choose auto or one of: {here}.",
        )
    return torch.device(wanted)


def _choose_dtype(device: torch.device, precision: Precision) -> torch.dtype:
    if precision is Precision.AUTO:
        return torch.bfloat16 if _has_fast_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32


def _has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is computed by the hardware; emulated, it is a hundred times slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        supported = (torch.cpu._is_amx_tile_supported, torch.cpu._is_avx512_bf16_supported)
        return any(ask() for ask in supported)
    return False


def describe(arithmetic: Arithmetic) -> str:
    """The device in words: `CPU, 2 threads, float32` or the graphics card's name."""
    numbers = str(arithmetic.dtype).removeprefix("torch.")
    match arithmetic.device.type:
        case "cuda":
            return f"{torch.cuda.get_device_name(arithmetic.device)}, {numbers}"
        case "mps":
            return f"Apple GPU, {numbers}"
    return f"CPU, {torch.get_num_threads()} threads, {numbers}"


def describe_devices() -> tuple[str, ...]:
    """What a job could run on here, in words, the one that `auto` takes first."""
    best = choose_arithmetic(DEFAULTS)
    fallback = choose_arithmetic(DEFAULTS.changed(device=Device.CPU))
    return tuple(dict.fromkeys((describe(best), describe(fallback))))


def memory_used(device: torch.device) -> int:
    """Bytes in use: by our tensors on a graphics card, by the process elsewhere."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def forget_peak(device: torch.device) -> None:
    """Begin a new peak where the device can; a process's own peak is counted from its start."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> int:
    """The most bytes in use since `forget_peak`; off a graphics card, since the process began."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def memory_available(device: torch.device) -> int:
    """Bytes a new job could take."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + cached)
    return int(psutil.virtual_memory().available)


def release_memory() -> None:
    """Give back to the device what no tensor holds any more."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; most allocators say so in words only."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)
    )


def predict_memory(
    settings: Settings,
    arithmetic: Arithmetic,
    floats_per_pixel: float,
    canvas_pixels: int,
    style_pixels: int,
) -> int:
    """Bytes one evaluation takes at its peak beyond the process and the network weights.

    Args:
        settings: For the optimiser.
        arithmetic: For the size of a number.
        floats_per_pixel: `Network.floats_per_pixel`.
        canvas_pixels: Of the largest scale.
        style_pixels: Of the largest style image beside it.
    """
    item = arithmetic.dtype.itemsize
    # On the way back two gradients of the widest stage are alive, and Winograd's workspace
    # or the float32 copy for the Gram matrix of the first stage.
    widest = 64 * (2 * item + 4)
    images = _IMAGES[settings.optimizer]
    if settings.optimizer is OptimizerName.LBFGS:
        images += 2 * settings.history
    canvas = floats_per_pixel * item + _POOL_INDEX_BYTES + widest + images * 12
    style = 64 * 2 * item + widest
    return int(max(canvas * canvas_pixels, canvas * canvas_pixels * 0.1 + style * style_pixels))


def largest_size(wanted: int, needed: int, available: int) -> int:
    """The largest output size that fits, given what `wanted` pixels on the long side need."""
    fits = wanted * (available * _RESERVE / needed) ** 0.5
    return max(16, int(fits) // 16 * 16)


def refuse_if_too_large(settings: Settings, needed: int, available: int) -> None:
    """Say before starting that a job cannot fit.

    Raises:
        EngineError: It cannot; the message names the largest size that would.
    """
    if needed > available * _RESERVE:
        raise EngineError(
            f"{settings.output_size} px needs about {gigabytes(needed)} of memory and "
            f"{gigabytes(available)} is free.",
            _smaller(settings, largest_size(settings.output_size, needed, available)),
        )


def ran_out_of_memory(settings: Settings, needed: int, available: int) -> EngineError:
    """The error for a job that ran out on the way, with a size that should fit.

    What is free is measured after the job let go, so the prediction was too low or others took it.
    """
    if not needed:  # the device was full before anything could be planned
        return EngineError("Memory ran out on the device.", "Close other programs.")
    fits = largest_size(settings.output_size, needed, min(available, needed) * 3 // 4)
    return EngineError(f"Memory ran out at {settings.output_size} px.", _smaller(settings, fits))


def _smaller(settings: Settings, size: int) -> str:
    if size >= settings.output_size:
        return "Close other programs."
    return f"Set the output size to {size} px or less, or close other programs."


def gigabytes(count: int) -> str:
    """Bytes in words a person compares: `1.3 GB`."""
    return f"{count / 1e9:.1f} GB"
