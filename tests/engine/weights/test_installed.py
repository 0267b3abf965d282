"""Network weights are found in a known order, and come to be there by import or download."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.plan.resolve import choose_network
from engine.spec.choices import NetworkName
from engine.spec.errors import Cancelled, EngineError, InputError, NetworkMissingError
from engine.storage.paths import data_folder
from engine.weights import installed
from engine.weights.downloads import Published
from engine.weights.installed import (
    Download,
    download_of,
    download_weights,
    find_weights,
    import_weights,
    networks_folder,
    networks_here,
)

VGG19, VGG16 = NetworkName.VGG19, NetworkName.VGG16


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")
    return path


def test_a_given_file_comes_first(tmp_path: Path) -> None:
    put(networks_folder() / "vgg19.safetensors")
    given = put(tmp_path / "mine.bin")
    assert find_weights(VGG19, given) == given


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.pth", r"There is no file none\.pth\."),
        ("a\0b.pth", r"There is no file ab\.pth\."),
        ("", "is a folder"),
        ("pipe", "pipe is a pipe"),
        ("/dev/null", "null is a device"),
    ],
)
def test_a_given_file_must_be_one(tmp_path: Path, name: str, said: str) -> None:
    put(networks_folder() / "vgg19.safetensors")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    elif said.endswith("ordinary file"):
        pytest.skip("no pipes with names here")
    with pytest.raises(InputError, match=said) as caught:
        find_weights(VGG19, tmp_path / name)
    assert not isinstance(caught.value, NetworkMissingError)


def test_the_environments_folder_comes_before_the_users() -> None:
    users = put(data_folder() / "networks" / "vgg19.safetensors")
    assert find_weights(VGG19) == users
    named = put(networks_folder() / "vgg19-features.pth")
    assert find_weights(VGG19) == named


def test_without_the_environment_the_users_folder_is_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAMARYE_NETWORKS")
    assert networks_folder() == data_folder() / "networks"


def test_the_environment_may_name_a_folder_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAMARYE_NETWORKS", "~/networks")
    assert networks_folder() == Path.home() / "networks"


def test_auto_is_vgg19_where_it_is_and_else_the_draft_network(tmp_path: Path) -> None:
    assert choose_network(NetworkName.AUTO, networks_here()) is NetworkName.DRAFT
    mine = networks_here(NetworkName.AUTO, put(tmp_path / "mine.bin"))
    assert choose_network(NetworkName.AUTO, mine) is VGG19
    assert mine[VGG19] == tmp_path / "mine.bin"
    put(networks_folder() / "vgg19.safetensors")
    assert choose_network(NetworkName.AUTO, networks_here()) is VGG19


@pytest.mark.parametrize("network", [VGG16, NetworkName.DRAFT])
def test_a_network_that_is_asked_for_is_not_exchanged(network: NetworkName) -> None:
    put(networks_folder() / "vgg19.safetensors")
    assert choose_network(network, networks_here()) is network


def test_a_file_that_was_named_is_that_of_the_network_asked_for(tmp_path: Path) -> None:
    kept = put(networks_folder() / "vgg19.safetensors")
    mine = put(tmp_path / "mine.bin")
    here = networks_here(VGG16, mine)
    assert (here[VGG16], here[VGG19]) == (mine, kept)


def test_in_a_folder_the_plainest_name_wins() -> None:
    folder = networks_folder()
    for better in (
        "vgg19-features.pth",
        "vgg19-a.pth",
        "vgg19.pth",
        "vgg19-b.safetensors",
        "vgg19.safetensors",
    ):
        put(folder / better)
        assert find_weights(VGG19).name == better


def test_other_architectures_and_halves_are_not_found() -> None:
    put(networks_folder() / "vgg19_bn-c79401a0.pth")
    put(networks_folder() / "vgg19-dcbb9e9d.pth.part")
    put(networks_folder() / "vgg16.safetensors")
    (networks_folder() / "vgg19.safetensors").mkdir()
    with pytest.raises(NetworkMissingError):
        find_weights(VGG19)


def test_a_missing_network_is_named_with_every_way_to_get_it() -> None:
    with pytest.raises(NetworkMissingError, match="VGG-16") as caught:
        find_weights(VGG16)
    for way in ("download", "locate", "weights download vgg16", "weights import", "--weights"):
        assert way in caught.value.remedy


def test_an_import_is_found_and_says_where_it_came_from(
    random_network: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file

    source = tmp_path / "from-a-friend.pth"
    torch.save(load_file(random_network), source)
    kept = import_weights(source, VGG19)
    assert kept == find_weights(VGG19) == networks_folder() / "vgg19.safetensors"
    assert [path.name for path in networks_folder().iterdir()] == ["vgg19.safetensors"]
    with safe_open(kept, "pt") as file:
        assert file.metadata() == {
            "network": "vgg19",
            "source": "from-a-friend.pth",
            "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        }
    original, imported = load_file(random_network), load_file(kept)
    assert all(torch.equal(imported[key], original[key]) for key in original)


def test_a_file_of_any_name_can_be_imported(random_network: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9\x1b[31m.safetensors")
    try:
        odd.symlink_to(random_network)
    except (OSError, ValueError):
        pytest.skip("this disk takes no such names")
    assert import_weights(odd, VGG19) == find_weights(VGG19)


def test_a_refused_import_changes_nothing(tmp_path: Path) -> None:
    kept = put(networks_folder() / "vgg19.safetensors")
    with pytest.raises(InputError):
        import_weights(put(tmp_path / "broken.pth"), VGG19)
    assert [path.name for path in networks_folder().iterdir()] == ["vgg19.safetensors"]
    assert kept.read_bytes() == b"weights"


def test_an_import_onto_a_full_disk_changes_nothing(
    random_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = put(networks_folder() / "vgg19.safetensors")

    def write_half(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(InputError, match="disk is full"):
        import_weights(random_network, VGG19)
    assert [path.name for path in networks_folder().iterdir()] == ["vgg19.safetensors"]
    assert kept.read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("network", "name", "size"),
    [(VGG19, "vgg19-dcbb9e9d.pth", 574_673_361), (VGG16, "vgg16-397923af.pth", 553_433_881)],
)
def test_downloads_are_torchvisions_own_and_known_to_the_last_bit(
    network: NetworkName, name: str, size: int
) -> None:
    download = download_of(network)
    assert download.file.url.startswith("https://")
    assert download.file.url.endswith(f"/{name}")
    assert download.file.size == size
    assert len(download.file.sha256) == 64
    assert name == f"{network}-{download.file.sha256[:8]}.pth"
    assert download.destination == networks_folder() / f"{network}.safetensors"


@pytest.mark.parametrize("name", ["vgg19-00ff00ff.pth", "vgg19.pth", "dcbb9e9d/vgg19.pth"])
def test_another_file_of_torchvisions_is_told_and_not_fetched(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from torchvision import models

    other = SimpleNamespace(IMAGENET1K_V1=SimpleNamespace(url=f"https://example.org/{name}"))
    monkeypatch.setattr(models, "VGG19_Weights", other)
    monkeypatch.setattr(installed, "fetch", lambda *_: pytest.fail("fetched it"))
    with pytest.raises(EngineError, match="knows another file") as caught:
        download()
    assert name.rpartition("/")[2] in caught.value.message
    assert "import a file" in caught.value.remedy


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path], Any]], None]:
    """Let a download be answered by a function that is given where the file should arrive."""
    file = Published("https://example.org/vgg19-00ff00ff.pth", 1, 64 * "0")
    download = Download(file, networks_folder() / "kept")
    monkeypatch.setattr(installed, "download_of", lambda network: download)

    def offer(answer: Callable[[Path], Any]) -> None:
        def fetch(file: Published, destination: Path, *hooks: object) -> None:
            assert file == download.file
            destination.parent.mkdir(parents=True, exist_ok=True)
            answer(destination)

        monkeypatch.setattr(installed, "fetch", fetch)

    return offer


def download() -> Path:
    return download_weights(VGG19, lambda done, total: None, lambda: False)


def test_a_download_is_imported_and_then_removed(
    offered: Callable[[Callable[[Path], Any]], None], random_network: Path
) -> None:
    offered(lambda path: path.symlink_to(random_network))
    assert download() == find_weights(VGG19)
    assert [path.name for path in networks_folder().iterdir()] == ["vgg19.safetensors"]


@pytest.mark.parametrize("error", [Cancelled(), EngineError("The line broke.")])
def test_a_download_that_ends_early_puts_nothing_in_place(
    offered: Callable[[Callable[[Path], Any]], None], error: Exception
) -> None:
    def fail(path: Path) -> None:
        put(path.with_name(f"{path.name}.part"))
        raise error

    offered(fail)
    with pytest.raises(type(error)):
        download()
    with pytest.raises(NetworkMissingError):
        find_weights(VGG19)
