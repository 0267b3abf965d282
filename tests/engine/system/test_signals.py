"""A signal ends what is going on, and the exit code tells which; one that is ignored stays so."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from engine.system.signals import ENDING, Interrupted, handled, heard, raised

pytestmark = pytest.mark.usefixtures("heard_signals")


def never(_error: BaseException) -> int:
    pytest.fail("nothing is imported here")


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_is_an_interruption_with_the_exit_code_of_shells(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as caught, raised(never):
        signal.raise_signal(number)
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) == before


def test_what_is_cleaned_up_meanwhile_is_not_disturbed_by_the_rest_of_a_logout() -> None:
    @contextmanager
    def cleaned_up() -> Iterator[None]:
        try:
            yield
        finally:
            for number in set(ENDING) - {signal.SIGINT}:
                signal.raise_signal(number)

    with pytest.raises(Interrupted) as caught, raised(never), cleaned_up():
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.number == signal.SIGTERM


def test_a_signal_ignored_from_the_start_stays_ignored() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.SIGTERM not in heard()
    with raised(never):
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def test_a_handler_has_its_time_and_no_more() -> None:
    came = []

    def take(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = signal.getsignal(signal.SIGTERM)
    with handled(take):
        signal.raise_signal(signal.SIGTERM)
    assert came == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) == before
