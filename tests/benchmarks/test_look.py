"""The numbers are what their formulas say; pictures are kept, compared and blinded as told."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.spec.choices import NetworkName
from engine.spec.errors import InputError
from engine.spec.settings import DEFAULTS
from engine.storage.images import picture_from_pixels
from resources import DRAFT_NETWORK
from tests.benchmarks.look import numbers, sheets
from tests.benchmarks.look.__main__ import main
from tests.benchmarks.look.judging import Judge, pixel_numbers
from tests.benchmarks.look.pairs import SHARED, balanced, pairs_in
from tests.benchmarks.look.report import Row, comparisons, marks
from tests.benchmarks.look.variants import variants

pytestmark = pytest.mark.usefixtures("one_thread")

LISTS = Path(__file__).parent / "look"


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).float()


def pixels(seed: int, height: int = 40, width: int = 56) -> np.ndarray:
    """Coarse patches with fine noise, so that there are shapes and details."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 216, (height // 8, width // 8, 3)).repeat(8, 0).repeat(8, 1)
    return (coarse + random.integers(-30, 30, coarse.shape)).astype(np.uint8)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / math.sqrt((a @ a) * (b @ b)))


def test_content_and_gram_are_differences_over_the_power_of_what_was_aimed_at() -> None:
    found, aim = drawn(1, 5, 6, 7), drawn(1, 5, 6, 7, seed=1)
    wanted = sum((f - a) ** 2 for f, a in zip(found.flat, aim.flat, strict=True))
    wanted /= sum(a**2 for a in aim.flat)
    assert numbers.content_distance(tensor(found), tensor(aim)) == pytest.approx(wanted, rel=1e-5)
    grams = []
    for features in (found, aim):
        columns = [features[0, :, y, x] for y in range(6) for x in range(7)]
        grams.append(sum(np.outer(column, column) for column in columns) / len(columns))
        gram = numbers.gram_matrix(tensor(features))
        assert np.allclose(gram.numpy(), grams[-1], rtol=1e-5)
    wanted = ((grams[0] - grams[1]) ** 2).sum() / (grams[1] ** 2).sum()
    given = numbers.gram_distance(*map(tensor, grams))
    assert given == pytest.approx(wanted, rel=1e-5)


def test_the_nearest_cosine_is_what_a_loop_over_all_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "_CHUNK", 7)
    asking, searched, centre = drawn(30, 4), drawn(20, 4, seed=1), drawn(4, seed=2)
    best = [max(cosine(a - centre, s - centre) for s in searched) for a in asking]
    given = numbers.nearest_cosine(tensor(asking), tensor(searched), tensor(centre))
    assert given == pytest.approx(np.mean([1 - value for value in best]), rel=1e-5)


def test_the_nearest_patch_is_what_a_loop_over_all_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "_CHUNK", 7)
    asking, searched = drawn(30, 12), drawn(20, 12, seed=1)
    wanted = np.mean([min(math.sqrt(((a - s) ** 2).mean()) for s in searched) for a in asking])
    given = numbers.nearest_patch(tensor(asking), tensor(searched))
    assert given == pytest.approx(wanted, rel=1e-5)


def test_self_similarity_compares_normalised_distances_of_all_places() -> None:
    found, aim = drawn(9, 5), drawn(9, 5, seed=1)
    tables = []
    for features in (found, aim):
        table = np.array([[1 - cosine(a, b) for b in features] for a in features])
        tables.append(table / table.mean(0))
    wanted = np.abs(tables[0] - tables[1]).mean()
    given = numbers.self_similarity_distance(tensor(found), tensor(aim))
    assert given == pytest.approx(wanted, rel=1e-4)
    assert numbers.self_similarity_distance(3 * tensor(aim), tensor(aim)) < 1e-5


def blurred(values: np.ndarray, y: int, x: int) -> float:
    """A 5 x 5 binomial mean about a place of (H, W), its border repeated."""
    taps = (1, 4, 6, 4, 1)
    height, width = values.shape
    return (
        sum(
            down * across * values[min(max(y + i, 0), height - 1), min(max(x + j, 0), width - 1)]
            for i, down in enumerate(taps, start=-2)
            for j, across in enumerate(taps, start=-2)
        )
        / 256
    )


def details(values: np.ndarray) -> np.ndarray:
    return np.array(
        [
            [values[y, x] - blurred(values, y, x) for x in range(values.shape[1])]
            for y in range(values.shape[0])
        ]
    )


def luma(image: np.ndarray) -> np.ndarray:
    return 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]


def test_residue_is_the_weighted_correlation_of_fine_details() -> None:
    found, aim = drawn(3, 21, 18), drawn(3, 21, 18, seed=1)
    # A flat part has no outlines to keep; the other half of the windows has.
    aim[:, :, 9:] = 0.5
    # Drawn again in its upper part and reversed in its lower, which takes from it.
    found = np.concatenate([aim[:, :15], 1 - aim[:, 15:]], 1) + 0.2 * found
    bands = [details(luma(image)) for image in (found, aim)]
    size, faint = numbers.WINDOW, (0.25 / 255) ** 2
    total = weights = 0.0
    for top in range(0, 21 - size + 1, size // 2):
        for left in range(0, 18 - size + 1, size // 2):
            a, b = (band[top : top + size, left : left + size] for band in bands)
            covariance = ((a - a.mean()) * (b - b.mean())).mean()
            total += b.std() * covariance / math.sqrt((a.var() + faint) * (b.var() + faint))
            weights += b.std()
    given = numbers.residue(tensor(found[None]), tensor(aim[None]))
    assert given == pytest.approx(total / weights, rel=1e-3)
    assert 0.1 < given < 0.7


def test_fringe_is_fine_chroma_over_the_paintings() -> None:
    found, aim = drawn(3, 12, 15), 0.3 * drawn(3, 10, 9, seed=1)
    powers = []
    for image in (found, aim):
        bands = [details(image[channel] - luma(image)) for channel in (0, 2)]
        powers.append(np.mean([band**2 for band in bands]))
    given = numbers.fringe(tensor(found[None]), tensor(aim[None]))
    assert given == pytest.approx(math.sqrt(powers[0] / powers[1]), rel=1e-4)
    grey = torch.rand(1, 1, 12, 12).expand(1, 3, 12, 12)
    assert numbers.fringe(grey, grey) < 0.01
    assert math.isfinite(numbers.fringe(tensor(found[None]), grey))


def test_patches_and_samples_are_pieces_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    image = drawn(1, 3, 11, 13)
    size = numbers.PATCH
    all_of_them = {
        tuple(image[0, :, y : y + size, x : x + size].astype(np.float32).ravel())
        for y in range(11 - size + 1)
        for x in range(13 - size + 1)
    }
    assert {tuple(row) for row in numbers.patches(tensor(image)).numpy()} == all_of_them
    monkeypatch.setattr(numbers, "SAMPLE", 10)
    vectors = {tuple(column) for column in image[0].reshape(3, -1).astype(np.float32).T}
    chosen = [tuple(row) for row in numbers.sampled(tensor(image)).numpy()]
    assert len(set(chosen)) == 10
    assert set(chosen) <= vectors
    grid = numbers.on_grid(tensor(drawn(1, 2, 5, 100)))
    assert grid.shape == (5 * numbers.GRID, 2)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(NetworkName.DRAFT, DRAFT_NETWORK, "cpu")


def test_the_photograph_itself_keeps_everything_and_has_nothing_of_the_painting(
    judge: Judge,
) -> None:
    content, style = (picture_from_pixels(pixels(seed), "") for seed in (1, 2))
    found = judge.numbers(content, style, content.pixels)
    assert found["content"] == found["self_similarity"] == 0
    assert found["nn_to_style"] > 0.1
    plain = pixel_numbers(content, style, content.pixels, judge.device)
    assert plain["residue"] > 0.95
    assert plain["patch"] > 0.05


def test_the_painting_itself_is_found_in_the_painting(judge: Judge) -> None:
    content, style = (picture_from_pixels(pixels(seed), "") for seed in (1, 2))
    found = judge.numbers(content, style, style.pixels)
    assert found["gram"] == 0
    assert found["nn_to_style"] < 1e-5
    assert found["nn_from_style"] < 1e-5
    assert found["content"] > 0.2
    plain = pixel_numbers(content, style, style.pixels, judge.device)
    assert plain["patch"] == plain["patch_back"] == 0
    assert plain["fringe"] == 1
    assert plain["residue"] < 0.3


def test_a_judge_tells_each_layer_and_their_mean(judge: Judge) -> None:
    content, style, output = (picture_from_pixels(pixels(seed), "") for seed in (1, 2, 3))
    found = judge.numbers(content, style, output.pixels)
    layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    for name in ("gram", "nn_to_style", "nn_from_style"):
        own = [found[f"{name} {layer}"] for layer in layers]
        assert found[name] == pytest.approx(np.mean(own))
        assert len(set(own)) == len(own)
    assert found["nn_to_style"] != found["nn_from_style"]


def test_a_folders_pairs_use_each_picture_equally_often() -> None:
    contents, styles = ([Path(f"{kind}{n}") for n in range(4)] for kind in "cs")
    for count in (4, 8, 12):
        chosen = balanced(contents, styles)[:count]
        assert len(set(chosen)) == count
        for side in (0, 1):
            uses = [sum(pair[side] == path for pair in chosen) for path in (contents, styles)[side]]
            assert set(uses) == {count // 4}
    assert len(set(balanced(contents[:3], styles))) == 12
    assert len(set(balanced(contents, styles[:1]))) == 4


def test_a_list_of_pairs_is_read_below_its_folder(tmp_path: Path) -> None:
    for name in ("a b.jpg", "c.jpg"):
        (tmp_path / name).touch()
    listed = tmp_path / "pairs.txt"
    listed.write_text("# a comment\n\n'a b.jpg' c.jpg  # one\nc.jpg c.jpg\n")
    names = [(p.content.name, p.style.name) for p in pairs_in(listed, tmp_path, None)]
    assert names == [("a b.jpg", "c.jpg"), ("c.jpg", "c.jpg")]
    for text, said in (
        ("c.jpg\n", "Line 1"),
        ("c.jpg missing.jpg\n", "missing.jpg"),
        ("# nothing\n", "no pair"),
        ("c.jpg c.jpg\nc.jpg c.jpg\n", "c__c"),
    ):
        listed.write_text(text)
        with pytest.raises(InputError, match=said):
            pairs_in(listed, tmp_path, None)


def test_the_lists_that_ship_name_pictures_that_are_there() -> None:
    images = SHARED / "images"
    if not images.is_dir():
        pytest.skip("needs the real pictures in ../shared")
    pairs = pairs_in(LISTS / "pairs.txt", images, None)
    assert len(pairs) >= 12
    assert len({pair.content for pair in pairs}) == 9
    assert all(sum(p.content == pair.content for p in pairs) <= 2 for pair in pairs)
    assert pairs_in(LISTS / "faces.txt", images, None)


def test_a_variant_is_a_preset_with_settings_changed(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text('{"format": 2, "name": "Own", "settings": {"style_weight": 3.0}}')
    text = "deep: preset=texture, style_layers=relu1_1:1, relu2_1:0.5, steps=7"
    found = variants(f"brush, {file}", [text, "bare: steps=3"], [], {"network": "vgg19"})
    assert [variant.label for variant in found] == ["Brushwork", "Own", "deep", "bare"]
    settings = [variant.settings for variant in found]
    assert settings[0] == DEFAULTS.changed(network="vgg19")
    assert settings[1] is not None
    assert settings[1].style_weight == 3
    assert settings[2] is not None
    assert settings[2].content_weight == 0
    assert settings[2].style_layers == (("relu1_1", 1), ("relu2_1", 0.5))
    assert settings[2].steps == 7
    assert settings[3] == DEFAULTS.changed(network="vgg19", steps=3)
    (own,) = variants("", ["own: steps=3"], [], {"network": "vgg19", "steps": "5"})
    assert own.settings is not None
    assert own.settings.steps == 3
    (deep,) = variants("Early and deep", [], [], {"network": "draft"})
    assert deep.settings is not None
    assert deep.settings.style_layers[-1].layer == "conv5_1"


@pytest.mark.parametrize(
    ("presets", "given"),
    [
        ("", []),
        ("No such", []),
        ("Texture, texture", []),
        ("", ["no label"]),
        ("", ["a: nonsense=1"]),
        ("", ["a: steps"]),
        ("", ["a: steps=-1"]),
    ],
)
def test_what_cannot_be_a_column_is_refused(presets: str, given: list[str]) -> None:
    with pytest.raises(InputError):
        variants(presets, given, [], {})


Run = Callable[..., tuple[int, dict]]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str) -> tuple[int, dict]:
        usual = ["--network=draft", "--judges=draft", "--device=cpu", "--size=32", "--count=1"]
        code = main([*usual, "--set=steps=2", f"--out={tmp_path}", "--json", *words])
        out = capfd.readouterr().out
        report: dict = json.loads(out)
        assert report == json.loads((tmp_path / "look.json").read_text())
        return code, report

    return call


def test_renders_are_kept_and_painted_anew_only_where_another_is_asked_for(run: Run) -> None:
    def files(report: dict) -> list[tuple[str, float]]:
        return [(row["file"], Path(row["file"]).stat().st_mtime_ns) for row in report["rows"]]

    code, first = run("--presets=Brushwork", "--variant=a: style_weight=20")
    assert code == 0
    assert [row["variant"] for row in first["rows"]] == ["Brushwork", "a"]
    for row in first["rows"]:
        assert set(row["numbers"]) == {"draft", "pixels"}
        assert row["facts"]["seconds"] > 0
        assert row["facts"]["evaluations"] >= row["facts"]["steps"] > 0
        with Image.open(row["file"]) as image:
            assert max(image.size) == 32
    kept = files(first)
    _, second = run("--presets=Brushwork", "--variant=a: style_weight=20")
    assert second["rows"] == first["rows"]
    assert files(second) == kept
    _, third = run("--presets=Brushwork", "--variant=a: style_weight=21")
    assert files(third)[0] == kept[0]
    assert files(third)[1][0] != kept[1][0]
    assert third["rows"][0] == first["rows"][0]
    assert third["rows"][1]["numbers"] != first["rows"][1]["numbers"]
    _, fourth = run("--presets=Brushwork", "--again")
    assert files(fourth)[0][0] == kept[0][0]
    assert files(fourth)[0] != kept[0]


def test_pictures_of_other_programs_are_a_column(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "others"
    folder.mkdir()
    Image.fromarray(pixels(1)).save(folder / "photograph__painting.png")
    _, report = run("--presets=Brushwork", f"--pictures={folder}", "--count=2")
    others = [row for row in report["rows"] if row["variant"] == "others"]
    assert [row["pair"] for row in others] == ["photograph × painting"]
    assert others[0]["facts"] is None
    assert all(each["pairs"] == 1 for each in report["compared"])


def test_blind_sheets_letter_the_columns_and_the_key_tells(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, report = run("--presets=Brushwork,Texture", "--count=4", "--blind=1")
    assert [Path(file).name for file in report["sheets"]] == ["sheet-1.jpg", "blind-1.jpg"]
    key = json.loads((tmp_path / "key.json").read_text())
    letters = [row["letters"] for row in key["rows"]]
    assert {tuple(sorted(row.values())) for row in letters} == {("Brushwork", "Texture")}
    assert len({row["A"] for row in letters}) == 2
    verdicts = tmp_path / "verdicts.txt"
    picked = [next(x for x, label in row.items() if label == "Texture") for row in letters]
    verdicts.write_text(f"1 {picked[0]}\n2 {picked[1].lower()}\n# no\n3 =\n")
    assert main(["--reveal", str(verdicts), str(tmp_path / "key.json")]) == 0
    out = capfd.readouterr().out
    assert "Texture: preferred on 2 of 3" in out
    assert "Brushwork: preferred on 0 of 3" in out
    verdicts.write_text("1 A\n1 B\n")
    assert main(["--reveal", str(verdicts), str(tmp_path / "key.json")]) == 2


def test_blind_columns_are_the_pictures_the_key_says() -> None:
    cells = {label: sheets.Cell(label, pixels(seed)) for seed, label in enumerate("xyz")}
    ends = [sheets.Cell("c", pixels(8)), sheets.Cell("s", pixels(9))]
    rows = [[*ends, *cells.values()] for _ in range(6)]
    shuffled, key = sheets.blinded(rows, 3)
    orders = set()
    for row, told in zip(shuffled, key, strict=True):
        for cell in row[2:]:
            assert cell.pixels is cells[told["letters"][cell.label]].pixels
            assert cell.lines == ()
        orders.add(tuple(told["letters"].values()))
        assert row[0].pixels is ends[0].pixels
    assert len(orders) > 1
    assert sheets.blinded(rows, 3)[1] == key


def test_a_sheet_has_four_rows_at_most_and_all_pictures(tmp_path: Path) -> None:
    red, blue = (np.full((20, 30, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 0, 255)))
    row = [sheets.Cell("c", pixels(1)), sheets.Cell("s", blue), sheets.Cell("a", red, ("1", "2"))]
    files = sheets.write_sheets([row] * 5, tmp_path, "sheet", 400)
    assert [file.name for file in files] == ["sheet-1.jpg", "sheet-2.jpg"]
    long = [sheets.Cell("label " * 99, blue)] * 3
    assert sheets.drawn([long], 30).size[0] < 1000
    drawn_sheet = np.asarray(sheets.drawn([row], 30)).reshape(-1, 3)
    for colour in ((255, 0, 0), (0, 0, 255)):
        assert (drawn_sheet == colour).all(1).sum() >= 600


def made_rows(**better: float) -> list[Row]:
    """Twelve pairs, base and a column whose numbers are those times a factor."""
    base = {"content": 0.5, "nn_to_style": 0.3, "nn_from_style": 0.3, "self_similarity": 0.2}
    plain = {"patch": 0.08, "residue": 0.2, "fringe": 1.0}
    rows = []
    for number in range(12):
        rows.append(Row(str(number), "A", "", None, {"vgg19": base, "pixels": plain}))
        other, other_plain = (
            {name: value * better.get(name, 0.9) for name, value in values.items()}
            for values in (base, plain)
        )
        if number < better.get("pairs", 0):
            other["nn_to_style"] = base["nn_to_style"] * better["worse"]
        rows.append(Row(str(number), "B", "", None, {"vgg19": other, "pixels": other_plain}))
    return rows


@pytest.mark.parametrize(
    ("better", "missed"),
    [
        ({}, set()),
        ({"pairs": 2, "worse": 1.04}, set()),
        ({"pairs": 3, "worse": 1.04}, {"nn_to_style"}),
        ({"pairs": 1, "worse": 1.06}, {"nn_to_style"}),
        ({"self_similarity": 1.09}, set()),
        ({"self_similarity": 1.11}, {"self_similarity"}),
        ({"fringe": 1.49}, set()),
        ({"fringe": 1.51}, {"fringe"}),
        ({"content": 1.81}, {"content"}),
        ({"patch": 1.01, "residue": 1.01}, {"patch", "residue"}),
    ],
)
def test_marks_hold_where_the_manner_is_nearer_and_nothing_is_lost(
    better: dict[str, float], missed: set[str]
) -> None:
    found = marks(comparisons(made_rows(**better)), "vgg19", Fraction(10, 12))
    assert len(found) == 7
    assert {mark.name.partition(": ")[2] for mark in found if not mark.holds} == missed


def test_eight_of_twelve_are_enough_where_that_is_asked_for() -> None:
    compared = comparisons(made_rows(pairs=4, worse=1.04))
    for most, holds in ((Fraction(8, 12), True), (Fraction(9, 12), False)):
        (mark,) = [m for m in marks(compared, "vgg19", most) if m.name == "B: nn_to_style"]
        assert mark.holds is holds


def test_a_missed_mark_is_the_exit_code_and_a_wrong_word_is_told(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    code, report = run("--presets=Brushwork,Texture", "--marks")
    assert code == 1
    assert any(not mark["holds"] for mark in report["marks"]["draft"])
    assert main(["--presets=Nothing"]) == 2
    assert "There is no preset named Nothing." in capfd.readouterr().err
