"""What memory there is: the least of what machine, control groups and the process allow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine.system import memory
from engine.system.memory import Allowance, control_groups, memory_available, memory_total

ROOT = Path(__file__).resolve().parents[3]
UNLIMITED = 9223372036854771712


class Tree:
    """A process's folder under `/proc`, and the control groups it tells of."""

    def __init__(self, folder: Path) -> None:
        self.process = folder / "proc"
        self.process.mkdir()
        self._folder = folder

    def mount(self, kind: str, options: str, root: str = "/") -> Path:
        place = self._folder / f"{kind} {len(list(self._folder.iterdir()))}"
        place.mkdir()
        with (self.process / "mountinfo").open("a") as file:
            escaped = str(place).replace(" ", "\\040")
            file.write(f"35 31 0:32 {root} {escaped} rw,relatime shared:9 - {kind} c {options}\n")
        return place

    def put(self, line: str) -> None:
        with (self.process / "cgroup").open("a") as file:
            file.write(line + "\n")

    @property
    def found(self) -> list[Allowance]:
        return list(control_groups(self.process))


def write(folder: Path, **numbers: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, number in numbers.items():
        (folder / f"memory.{name}").write_text(f"{number}\n")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_group_of_version_2_limits_whoever_is_in_it(tree: Tree) -> None:
    mount = tree.mount("cgroup2", "rw")
    tree.put("0::/user.slice/job")
    write(mount / "user.slice" / "job", max=1000, current=700, stat="anon 400")
    assert tree.found == [Allowance(1000, 700)]


def test_copies_of_files_count_as_free(tree: Tree) -> None:
    mount = tree.mount("cgroup2", "rw")
    tree.put("0::/job")
    stat = "anon 300\nfile 400\ninactive_file 150\nactive_file 250\nshmem 9"
    write(mount / "job", max=1000, current=700, stat=stat)
    assert tree.found == [Allowance(1000, 300)]


def test_the_limit_that_slows_counts_like_the_one_that_kills(tree: Tree) -> None:
    mount = tree.mount("cgroup2", "rw")
    tree.put("0::/job")
    write(mount / "job", max="max", high=800, current=10)
    assert tree.found == [Allowance(800, 10)]


def test_groups_around_a_group_limit_it_too(tree: Tree) -> None:
    mount = tree.mount("cgroup2", "rw")
    tree.put("0::/outer/inner")
    write(mount / "outer" / "inner", max="max", current=10)
    write(mount / "outer", max=500, current=400)
    assert tree.found == [Allowance(500, 400)]


def test_version_1_is_understood_with_the_groups_inside_counted(tree: Tree) -> None:
    mount = tree.mount("cgroup", "rw,memory")
    tree.mount("cgroup", "rw,cpu,cpuacct")
    tree.put("5:cpu,cpuacct:/job")
    tree.put("4:memory:/job")
    stat = "active_file 1\ninactive_file 2\ntotal_active_file 30\ntotal_inactive_file 70"
    write(mount / "job", limit_in_bytes=1000, usage_in_bytes=600, stat=stat)
    write(mount, limit_in_bytes=UNLIMITED, usage_in_bytes=5000)
    assert tree.found == [Allowance(1000, 500), Allowance(UNLIMITED, 5000)]


def test_in_a_container_the_mount_is_the_group(tree: Tree) -> None:
    mount = tree.mount("cgroup2", "rw", root="/docker/abc")
    tree.put("0::/docker/abc")
    write(mount, max=1000, current=1)
    assert tree.found == [Allowance(1000, 1)]


def test_a_container_that_sees_another_root_takes_the_mount(tree: Tree) -> None:
    mount = tree.mount("cgroup", "rw,memory", root="/docker/abc")
    tree.put("4:memory:/kubepods/pod1/def")
    write(mount, limit_in_bytes=1000, usage_in_bytes=1)
    assert tree.found == [Allowance(1000, 1)]


def test_a_system_without_groups_has_none(tmp_path: Path) -> None:
    assert list(control_groups(tmp_path / "nothing")) == []


def test_the_least_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_address_space", lambda: iter([Allowance(3000, 2900)]))
    monkeypatch.setattr(memory, "control_groups", lambda process: iter([Allowance(2000, 100)]))
    assert memory_total() == 2000
    assert memory_available() == 100
    monkeypatch.setattr(memory, "control_groups", lambda process: iter([Allowance(2000, 2500)]))
    assert memory_available() == 0


def test_without_limits_it_is_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for source in ("_address_space", "control_groups"):
        monkeypatch.setattr(memory, source, lambda *_: iter([]))
    assert memory_total() == psutil.virtual_memory().total


TOLD = "from engine.system.memory import *; print(memory_total(), memory_available())"


@pytest.mark.skipif(sys.platform != "linux", reason="sets a limit as Linux does")
def test_a_limit_on_addresses_is_obeyed() -> None:
    code = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)); {TOLD}"
    total, available = told(["-c", code])
    assert total == 2**30
    assert 0.8 * 2**30 < available < 2**30


@pytest.fixture
def real_group() -> Path:
    """A control group of this machine's, limited to 500 MB."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, kind, path = line.split(":", 2)
        mount = {"memory": "/sys/fs/cgroup/memory", "": "/sys/fs/cgroup"}.get(kind)
        folder = Path(f"{mount}{path}/gramarye-test-{os.getpid()}")
        limit = "memory.limit_in_bytes" if kind else "memory.max"
        try:
            folder.mkdir()
            (folder / limit).write_text("500000000")
        except OSError:
            continue
        yield folder
        folder.rmdir()
        return
    pytest.skip("no control group can be made here")


@pytest.mark.skipif(sys.platform != "linux", reason="makes a control group")
def test_a_real_control_group_is_obeyed(real_group: Path) -> None:
    enter = f"open('{real_group}/cgroup.procs', 'w').write('0'); "
    total, available = told(["-c", enter + TOLD])
    assert 499_000_000 < total <= 500_000_000
    assert 400_000_000 < available < total


def told(words: list[str]) -> tuple[int, int]:
    ended = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    total, available = ended.stdout.split()
    return int(total), int(available)
