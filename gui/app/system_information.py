"""What to copy into a report: versions, devices and folders."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path

import PySide6

from engine import __version__
from engine.plan.machine import Inventory
from engine.storage.paths import config_folder, data_folder, log_folder
from engine.weights.installed import networks_folder

PACKAGES = ("torch", "torchvision", "pillow", "numpy", "qasync", "pyqtgraph", "superqt")


def system_information(inventory: Inventory) -> str:
    """Lines of plain text.

    Args:
        inventory: As the engine found it; without devices while it is still being loaded.
    """
    rows = [
        ("Gramarye", __version__),
        ("Python", platform.python_version()),
        ("System", platform.platform()),
        ("PySide6", PySide6.__version__),
        *((name, _version(name)) for name in PACKAGES),
        *(("Device", device.words) for device in inventory.devices),
        *(("No card", remark) for remark in (inventory.remark,) if remark),
        ("Networks", _shown(networks_folder())),
        ("Data", _shown(data_folder())),
        ("Settings", _shown(config_folder())),
        ("Logs", _shown(log_folder())),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _shown(folder: Path) -> str:
    """A folder without the person's name, which stands in that of the home."""
    home = Path.home()
    return str(Path("~") / folder.relative_to(home)) if folder.is_relative_to(home) else str(folder)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
