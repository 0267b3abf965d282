"""The declaration of the parameters, and how values that do not fit are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec.choices import NetworkName, OptimizerName, Start
from engine.spec.errors import InputError
from engine.spec.layers import format_layers, layer_names, parse_layers
from engine.spec.parameters import Kind
from engine.spec.settings import DEFAULTS, PARAMETER, PARAMETERS, settings_from


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_every_parameter_is_declared_whole(row: object) -> None:
    assert row.label
    assert row.help.endswith(".")
    if row.kind in (Kind.NUMBER, Kind.INTEGER):
        assert row.low <= row.default <= row.high
        low, high = row.slider or (row.low, row.high)
        assert row.low <= low <= row.default <= high <= row.high
        assert not row.log or low > 0
    if row.kind is Kind.CHOICE:
        assert row.default in row.choices


def test_text_becomes_the_parameters_own_type() -> None:
    changed = DEFAULTS.changed(
        content_weight="2.5", steps="7", optimizer="LBFGS", style_layers="relu1_1, relu2_1:0.5"
    )
    assert changed.content_weight == 2.5
    assert changed.steps == 7
    assert changed.optimizer is OptimizerName.LBFGS
    assert changed.style_layers == (("relu1_1", 1.0), ("relu2_1", 0.5))


REFUSED = {
    "not a number": ({"content_weight": "nan"}, "content_weight"),
    "endless": ({"style_weight": "inf"}, "style_weight"),
    "a number too large to hold": ({"content_weight": 10**400}, "content_weight"),
    "too large": ({"output_size": "99999"}, "99999"),
    "negative": ({"smoothness": -1}, "smoothness"),
    "not whole": ({"steps": "1.5"}, "steps"),
    "truth for a number": ({"steps": True}, "steps"),
    "no such setting": ({"colour": "1"}, "colour"),
    "no such choice": ({"pooling": "median"}, "pooling"),
    "no such layer": ({"style_layers": "relu9_1"}, "relu9_1"),
    "a layer twice": ({"style_layers": "relu1_1, relu1_1"}, "twice"),
    "no layer at all": ({"style_layers": ""}, "style_layers"),
    "a layer of the other network": (
        {"network": "vgg16", "style_layers": "relu4_4"},
        "relu4_4",
    ),
    "layers as a number": ({"content_layers": 3}, "content_layers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_by_name(case: str) -> None:
    values, named = REFUSED[case]
    with pytest.raises(InputError) as refusal:
        DEFAULTS.changed(**values)
    assert named in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_settings_survive_their_own_json() -> None:
    settings = DEFAULTS.changed(start="mix", style_layers={"relu1_1": 0.1}, seed=9)
    assert settings_from(settings.model_dump(mode="json")) == settings


layers = st.dictionaries(
    st.sampled_from(layer_names(NetworkName.VGG19)), st.sampled_from([0.0, 0.25, 1.0, 1e6])
)


@given(layers)
def test_layers_survive_being_written_and_read(weights: dict[str, float]) -> None:
    assert dict(parse_layers(format_layers(parse_layers(weights)))) == weights


def test_a_retune_changes_what_is_live_and_nothing_else() -> None:
    wanted = DEFAULTS.changed(content_weight=9.0, smoothness=2.0, steps=3, start=Start.NOISE)
    retuned = DEFAULTS.retuned(wanted)
    assert (retuned.content_weight, retuned.smoothness) == (9.0, 2.0)
    assert (retuned.steps, retuned.start) == (DEFAULTS.steps, DEFAULTS.start)


def test_numbered_choices_are_named_once_and_each_can_be_chosen() -> None:
    assert PARAMETER["device"].words == ("auto", "cpu", "cuda", "cuda:N", "mps")
    assert PARAMETER["pooling"].words == PARAMETER["pooling"].choices
    assert DEFAULTS.changed(device="CUDA:1").device == "cuda:1"
    with pytest.raises(InputError, match=r"Choose one of auto, cpu, cuda, cuda:N, mps\."):
        DEFAULTS.changed(device="cuda:8")


def test_style_strength_moves_both_sides_of_the_balance() -> None:
    settings = DEFAULTS.changed(content_weight=3.0, style_weight=5.0, style_strength=2.0)
    assert settings.effective_style_weight() == 10.0
    assert settings.effective_content_weight() == 1.5


def test_less_strength_never_means_less_photograph_down_to_none() -> None:
    strengths = (0.0, 1e-9, 0.001, 0.05, 1.0, 20.0, 1000.0)
    settings = [DEFAULTS.changed(style_strength=strength) for strength in strengths]
    content = [each.effective_content_weight() for each in settings]
    style = [each.effective_style_weight() for each in settings]
    assert content == sorted(content, reverse=True)
    assert style == sorted(style)
    assert style[0] == 0
    assert content[0] == pytest.approx(1000 * DEFAULTS.content_weight)
