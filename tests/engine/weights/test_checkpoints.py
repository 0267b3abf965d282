"""Files of network weights are read in every layout, and refused by the layer's name."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.spec.choices import NetworkName
from engine.spec.errors import InputError
from engine.weights.checkpoints import read_weights

VGG19, VGG16 = NetworkName.VGG19, NetworkName.VGG16

Write = Callable[[object], Path]


def published(network: NetworkName) -> dict[str, Tensor]:
    """A file as torchvision lays it out, layer after layer filled with 0, 1, 2, ...

    Each tensor is one stored number seen many times, so that the files are small.
    """
    from torchvision import models

    with torch.device("meta"):
        state = models.get_model(network.value).state_dict()
    return {
        key: torch.tensor(float(number)).expand(tensor.shape)
        for number, (key, tensor) in enumerate(state.items())
    }


@pytest.fixture(scope="module")
def vgg19() -> dict[str, Tensor]:
    return published(VGG19)


@pytest.fixture(scope="module")
def vgg16() -> dict[str, Tensor]:
    return published(VGG16)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: object) -> Path:
        path = tmp_path / "weights.pth"
        torch.save(content, path)
        return path

    return write


def convolutions(published: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in published.items() if key.startswith("features")}


def assert_filled_in_order(weights: dict[str, Tensor]) -> None:
    for number, tensor in enumerate(weights.values()):
        assert tensor.dtype == torch.float32
        assert tensor.is_contiguous()
        assert tensor.aminmax() == (number, number)


def refusal(path: Path, network: NetworkName = VGG19) -> str:
    with pytest.raises(InputError) as caught:
        read_weights(path, network)
    assert path.name in caught.value.message
    assert caught.value.remedy
    return caught.value.message


def test_the_full_published_file_is_read_in_the_networks_order(
    vgg19: dict[str, Tensor], write: Write
) -> None:
    weights = read_weights(write(vgg19), VGG19).tensors
    assert_filled_in_order(weights)
    assert list(weights)[:3] == ["conv1_1.weight", "conv1_1.bias", "conv1_2.weight"]
    assert list(weights)[-1] == "conv5_4.bias"
    assert weights["conv3_1.weight"].shape == (256, 128, 3, 3)
    assert len(weights) == 32


def test_vgg16_is_read(vgg16: dict[str, Tensor], write: Write) -> None:
    weights = read_weights(write(vgg16), VGG16).tensors
    assert_filled_in_order(weights)
    assert list(weights)[-1] == "conv5_3.bias"
    assert len(weights) == 26


@pytest.mark.parametrize(
    "wrap",
    [
        convolutions,
        lambda state: {"state_dict": state, "epoch": 90},
        lambda state: {f"module.{key}": tensor for key, tensor in state.items()},
        lambda state: {**state, "features.0.weight": state["features.0.weight"].half()},
        lambda state: dict(reversed(state.items())),
    ],
    ids=["convolutions only", "wrapped", "data parallel", "half precision", "other order"],
)
def test_other_layouts_hold_the_same(
    vgg19: dict[str, Tensor], write: Write, wrap: Callable[[dict[str, Tensor]], object]
) -> None:
    assert_filled_in_order(read_weights(write(wrap(vgg19)), VGG19).tensors)


def test_files_of_old_torch_are_read(vgg19: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save(convolutions(vgg19), path, _use_new_zipfile_serialization=False)
    assert_filled_in_order(read_weights(path, VGG19).tensors)


def test_safetensors_with_our_names_are_read_whatever_the_suffix(
    random_network: Path, tmp_path: Path
) -> None:
    (tmp_path / "mislabelled.pth").symlink_to(random_network)
    weights = read_weights(tmp_path / "mislabelled.pth", VGG19).tensors
    assert weights["conv5_4.weight"].std().item() == pytest.approx((2 / 4608) ** 0.5, rel=0.01)


def test_what_was_read_is_told_by_its_digest(vgg19: dict[str, Tensor], write: Write) -> None:
    path = write(vgg19)
    told = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_weights(path, VGG19).sha256 == told
    write({**vgg19, "features.0.weight": vgg19["features.0.weight"] + 1})
    assert read_weights(path, VGG19).sha256 != told


def test_a_missing_layer_is_named(vgg19: dict[str, Tensor], write: Write) -> None:
    state = {key: tensor for key, tensor in vgg19.items() if not key.startswith("features.12.")}
    assert "the layer conv3_2 is missing" in refusal(write(state))


def test_a_missing_bias_is_named(vgg19: dict[str, Tensor], write: Write) -> None:
    state = {key: tensor for key, tensor in vgg19.items() if key != "features.12.bias"}
    assert "the layer conv3_2 is missing its bias" in refusal(write(state))


def test_a_misshapen_layer_is_named_with_both_shapes(
    vgg19: dict[str, Tensor], write: Write
) -> None:
    message = refusal(write({**vgg19, "features.12.weight": torch.zeros(256, 256, 1, 1)}))
    assert "conv3_2" in message
    assert "256x256x1x1" in message
    assert "256x256x3x3" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_layer_that_is_not_finite_is_named(
    vgg19: dict[str, Tensor], write: Write, value: float
) -> None:
    bias = torch.zeros(256)
    bias[7] = value
    message = refusal(write({**vgg19, "features.12.bias": bias}))
    assert "bias of conv3_2" in message
    assert "not finite" in message


@pytest.mark.parametrize(
    "strange",
    [
        torch.zeros(256, dtype=torch.int64),
        torch.zeros(256, dtype=torch.complex64),
        torch.zeros(256, device="meta"),
    ],
    ids=["whole", "complex", "absent"],
)
def test_a_layer_of_strange_numbers_is_named(
    vgg19: dict[str, Tensor], write: Write, strange: Tensor
) -> None:
    assert "bias of conv3_2" in refusal(write({**vgg19, "features.12.bias": strange}))


FIRST = (64, 3, 3, 3)
"""The shape of the first layer's weight."""


CRAFTED: dict[str, Callable[[], object]] = {
    "nested": lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]),
    "sparse": lambda: torch.zeros(FIRST).to_sparse(),
    "sparse, of many": lambda: torch.sparse_coo_tensor(
        torch.zeros(4, 1, dtype=torch.long), torch.ones(1), (2**15,) * 4
    ),
    "rows": lambda: torch.zeros(64, 27).to_sparse_csr(),
    "quantised": lambda: torch.quantize_per_tensor(torch.zeros(FIRST), 0.1, 0, torch.qint8),
    "absent": lambda: torch.empty(FIRST, device="meta"),
    "absent, of many": lambda: torch.empty(2**40, device="meta"),
    "complex": lambda: torch.zeros(FIRST, dtype=torch.complex64).conj(),
    "bits": lambda: torch.zeros(FIRST, dtype=torch.uint8).view(torch.bits8),
    "truths": lambda: torch.zeros(FIRST, dtype=torch.bool),
    "one seen as many": lambda: torch.zeros(1).expand(2**15, 2**15, 2**15, 3),
    "of many sides": lambda: torch.zeros((1,) * 5000),
    "of its own class": lambda: torch.zeros(FIRST).as_subclass(Labelled),
}


class Labelled(Tensor):
    """Tensors may be of a class of their own, with its own idea of everything."""


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch speaks to developers
@pytest.mark.parametrize("kind", CRAFTED)
def test_tensors_of_every_kind_are_refused_in_one_sentence(
    vgg19: dict[str, Tensor], write: Write, kind: str
) -> None:
    message = refusal(write({**vgg19, "features.0.weight": CRAFTED[kind]()}))
    assert len(message) < 200
    assert "is not VGG-19: the weight of conv1_1" in message or "was refused" in message


class Bold(Tensor):
    """Raises whatever it is asked."""

    @classmethod
    def __torch_function__(cls, *_: object) -> object:
        raise ArithmeticError("not today")


@pytest.mark.parametrize("kind", [Labelled, Bold])
def test_a_tensor_that_refuses_to_be_looked_at_is_refused(
    vgg19: dict[str, Tensor], write: Write, monkeypatch: pytest.MonkeyPatch, kind: type[Tensor]
) -> None:
    path = write(vgg19)
    crafted = {**vgg19, "features.0.weight": torch.zeros(FIRST).as_subclass(kind)}
    monkeypatch.setattr(torch, "load", lambda *_, **__: crafted)
    assert "the weight of conv1_1 does not hold ordinary numbers" in refusal(path)


def test_a_parameter_is_as_good_as_its_numbers(vgg19: dict[str, Tensor], write: Write) -> None:
    weight = torch.nn.Parameter(vgg19["features.0.weight"].clone())
    weights = read_weights(write({**vgg19, "features.0.weight": weight}), VGG19).tensors
    assert_filled_in_order(weights)
    assert not weights["conv1_1.weight"].requires_grad


@pytest.mark.parametrize("name", ["features." + "1" * 10_000, "features.\u0663", "features.99"])
def test_a_layer_of_any_name_is_named_in_few_words(
    vgg19: dict[str, Tensor], write: Write, name: str
) -> None:
    message = refusal(write({**vgg19, f"{name}.weight": torch.zeros(1)}))
    assert "is not VGG-19: it also has a layer features." in message
    assert len(message) < 200


def test_an_archive_that_would_grow_is_not_read(
    vgg19: dict[str, Tensor], write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, grown = write(convolutions(vgg19)), tmp_path / "deflated.pth"
    with zipfile.ZipFile(whole) as given, zipfile.ZipFile(grown, "w") as made:
        for entry in given.namelist():
            made.writestr(entry, given.read(entry), zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("read it"))
    assert "is not a file of network weights" in refusal(grown)


def test_a_million_tensors_are_not_read(
    vgg19: dict[str, Tensor], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = torch.zeros(1)
    path = write({f"features.{number}.weight": one for number in range(200_000)})
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("read it"))
    assert "is not a file of network weights" in refusal(path)


def test_vgg19_is_not_taken_for_vgg16(vgg19: dict[str, Tensor], write: Write) -> None:
    message = refusal(write(vgg19), VGG16)
    assert "is not VGG-16" in message
    assert "conv4_1" in message


def test_vgg16_is_not_taken_for_vgg19(vgg16: dict[str, Tensor], write: Write) -> None:
    message = refusal(write(vgg16), VGG19)
    assert "is not VGG-19" in message
    assert "conv3_4" in message


def test_vgg19_by_our_names_is_not_taken_for_vgg16(random_network: Path) -> None:
    assert "conv3_4" in refusal(random_network, VGG16)


@pytest.mark.parametrize(
    "content",
    [{}, [], torch.zeros(3), {"state_dict": 1}, {1: torch.zeros(1)}, {"features.0.weight": 2.0}],
)
def test_a_file_of_other_things_lacks_the_first_layer(content: object, write: Write) -> None:
    assert "conv1_1" in refusal(write(content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just some text, and more of it",
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"\xff" * 100,
        b"\xff\xff\xff\xff\xff\xff\xff\x7f{}",
        b"\x10\x00\x00\x00\x00\x00\x00\x00{" + b"[" * 15,
        b"PK\x03\x04 and no more of an archive",
        b"\x80\x02}q\x00",
        b"\x80",
    ],
)
def test_what_is_no_weights_file_is_told_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    for suffix in (".pth", ".safetensors"):
        path = tmp_path / f"weights{suffix}"
        path.write_bytes(content)
        message = refusal(path)
        assert "\n" not in message


@pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.9, 0.9999])
def test_truncated_files_are_refused(vgg19: dict[str, Tensor], write: Write, share: float) -> None:
    whole = write(vgg19)
    os.truncate(whole, int(whole.stat().st_size * share))
    refusal(whole)


@pytest.mark.parametrize("missing", [1, 1000])
def test_truncated_safetensors_are_refused(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, path)
    os.truncate(path, path.stat().st_size - missing)
    assert "damaged or incomplete" in refusal(path)


class Bomb:
    """Unpickling this would make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("dump", [torch.save, lambda bomb, path: path.write_bytes(bomb)])
def test_code_in_a_file_is_refused_and_never_run(
    tmp_path: Path, dump: Callable[[object, Path], object]
) -> None:
    path, trace = tmp_path / "hostile.pth", tmp_path / "trace"
    content = {"features.0.weight": Bomb(trace)}
    dump(content if dump is torch.save else pickle.dumps(content, protocol=2), path)
    assert "holds code" in refusal(path)
    assert not trace.exists()


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    assert "There is no file none.pth." in refusal(tmp_path / "none.pth")
    assert "There is no file some.pth." in refusal(tmp_path / "none" / "some.pth")
    assert "is a folder." in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    for path in (tmp_path / "pipe.pth", Path("/dev/null"), Path("/dev/zero")):
        assert re.search(r" is a (pipe|device)\.", refusal(path))


def test_a_file_of_no_end_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "sparse.safetensors"
    path.touch()
    os.truncate(path, 10**12)
    assert "is too large for network weights: 1000.0 GB." in refusal(path)


@pytest.mark.real
def test_the_real_network_is_read(real_network: Path) -> None:
    weights = read_weights(real_network, VGG19).tensors
    edges = weights["conv1_1.weight"]
    assert edges.shape == (64, 3, 3, 3)
    # Measured on pictures of 0..255 whose spread torchvision's normalisation divides by about 60.
    assert 5 < edges.std() < 20
