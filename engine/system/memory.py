"""How much memory this process can really have: of the machine, its control groups, its limits.

Swap is never counted on: what lies there is a thousand times slower.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

_PROC = Path("/proc/self")

_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")
"""Where control groups of version 2 and 1 say how much they may take."""

_USED = ("memory.current", "memory.usage_in_bytes")

_CACHES = re.compile(r"^(?:total_)?(?:in)?active_file (\d+)$", re.MULTILINE)
"""What of that is copies of files, which the system gives up for whoever needs room."""

_TOTALS = re.compile(r"^total_(?:in)?active_file (\d+)$", re.MULTILINE)
"""The same where version 1 counts the groups inside a group apart."""


@dataclass(frozen=True)
class Allowance:
    """A limit on memory, and what is taken of it; bytes."""

    limit: int
    used: int


def memory_total() -> int:
    """Bytes there are, whoever uses them: the least of all that bounds this process."""
    return min(each.limit for each in _allowances())


def memory_available() -> int:
    """Bytes that this process could still take; 0 where it has more than it should."""
    return max(0, min(each.limit - each.used for each in _allowances()))


def _allowances() -> list[Allowance]:
    machine = psutil.virtual_memory()
    whole = Allowance(machine.total, machine.total - machine.available)
    return [whole, *_address_space(), *control_groups(_PROC)]


def _address_space() -> Iterator[Allowance]:
    """What `ulimit -v` leaves: addresses run out there, whether or not anything lies at them."""
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        yield Allowance(limit, psutil.Process().memory_info().vms)


def control_groups(process: Path) -> Iterator[Allowance]:
    """The limits of the control groups that a process is in, and of those around these.

    Args:
        process: Its folder under `/proc`; without one there are none.
    """
    for folder in _group_folders(process):
        limits = [limit for name in _LIMITS if (limit := _number(folder / name)) is not None]
        used = [taken for name in _USED if (taken := _number(folder / name)) is not None]
        if limits and used:
            yield Allowance(min(limits), max(0, used[0] - _cached(folder)))


def _group_folders(process: Path) -> Iterator[Path]:
    """The folders of a process's groups that count memory, from the innermost outwards."""
    own = dict(_own_groups(process))
    for kind, root, mount in _mounts(process):
        if kind not in own:
            continue
        # A container sees a part of the tree: what is outside it, the mount itself stands for.
        inside = own[kind].relative_to(root) if own[kind].is_relative_to(root) else ""
        folder = mount / inside
        yield folder
        while folder != mount:
            folder = folder.parent
            yield folder


def _own_groups(process: Path) -> Iterator[tuple[str, PurePosixPath]]:
    """Which group a process is in: of version 2, and that of version 1 which counts memory."""
    for line in _lines(process / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield "cgroup2", PurePosixPath(path)
        elif "memory" in controllers.split(","):
            yield "cgroup", PurePosixPath(path)


def _mounts(process: Path) -> Iterator[tuple[str, PurePosixPath, Path]]:
    """Where trees of groups are mounted that may count memory: version, root and place."""
    for line in _lines(process / "mountinfo"):
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2" or (kind == "cgroup" and "memory" in re.split("[ ,]", options)):
            _, _, _, root, place, *_ = before.split(" ")
            yield kind, PurePosixPath(_unescaped(root)), Path(_unescaped(place))


def _unescaped(word: str) -> str:
    """A path as the kernel writes it into a table, blanks and all."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []


def _number(file: Path) -> int | None:
    """The number in a file; None where there is none, as where it says `max`."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _cached(folder: Path) -> int:
    text = "\n".join(_lines(folder / "memory.stat"))
    found = _TOTALS.findall(text) or _CACHES.findall(text)
    return sum(map(int, found))
