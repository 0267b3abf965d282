"""What every test may lean on: its own folders, a random network, the real one if it is near.

Imports neither torch nor Qt, so that tests which need neither start at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pydantic.fields  # noqa: F401 - loaded after Qt and half of pydantic, it breaks in Qt's hook
import pytest

from engine.spec.choices import NetworkName
from engine.spec.layers import CONVOLUTIONS
from engine.system.signals import ENDING

_FOLDERS = {
    "HOME": "home",
    "USERPROFILE": "home",
    "APPDATA": "roaming",
    "LOCALAPPDATA": "local",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    "GRAMARYE_NETWORKS": "networks",
}

if sys.platform == "linux" and not os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}:
    # Without a screen Qt would end the process.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Threads of several processes that wait for each other's cores take many times as long.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Other work on the machine must not fail a test.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep each test out of the user's folders, and in its own."""
    root = tmp_path_factory.mktemp("user")
    for variable, folder in _FOLDERS.items():
        monkeypatch.setenv(variable, str(root / folder))


@pytest.fixture(scope="session")
def random_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A VGG-19 of random He-initialised convolutions (80 MB), the same in every run."""
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(0)
    tensors = {}
    channels = 3
    for stage, count in enumerate(CONVOLUTIONS[NetworkName.VGG19], start=1):
        width = min(32 * 2**stage, 512)
        for index in range(1, count + 1):
            kernel = torch.randn(width, channels, 3, 3, generator=generator)
            tensors[f"conv{stage}_{index}.weight"] = kernel * (2 / (9 * channels)) ** 0.5
            tensors[f"conv{stage}_{index}.bias"] = torch.zeros(width)
            channels = width
    path = tmp_path_factory.mktemp("random-network") / "vgg19.safetensors"
    save_file(tensors, path)
    yield path
    path.unlink()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread for torch: on tiny pictures several wait for each other longer than one works."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def heard_signals() -> Iterator[None]:
    """Signals as a terminal hands them down: what is started in the background ignores Ctrl-C."""
    before = {number: signal.getsignal(number) for number in ENDING}
    for number in ENDING:
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, usual)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pictures and network weights beside the checkout; skips without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs the real pictures and network weights in ../shared")
    return folder


@pytest.fixture(scope="session")
def real_network(shared: Path) -> Path:
    """The real VGG-19, convolutions only; skips without it."""
    path = shared / "weights" / "vgg19-features.pth"
    if not path.is_file():
        pytest.skip("needs the real VGG-19 in ../shared/weights")
    return path


@pytest.fixture
def never_waits() -> Iterator[None]:
    """Breaks off what would wait for ever, where the system can ring an alarm."""

    def ring(_number: int, _frame: object) -> None:
        pytest.fail("It waits.")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
