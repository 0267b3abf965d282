import asyncio
import threading
import time

import pytest
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QToolButton
from scripted import settle

from engine.spec.choices import NetworkName
from engine.spec.errors import Cancelled, EngineError
from engine.weights import installed
from engine.weights.downloads import Published
from engine.weights.installed import Download
from gui.app.actions import Action

URL = "https://example.org/vgg19-0123abcd.pth"


@pytest.fixture
def published(monkeypatch, tmp_path):
    download = Download(Published(URL, 548_000_000, 64 * "0"), tmp_path / "kept.safetensors")
    monkeypatch.setattr(installed, "download_of", lambda network: download)
    return download


@pytest.fixture
def missing(network, published, make_shell, qtbot):
    """A window that is asked for VGG-19 and lacks its weights."""
    network.unlink()
    shell = make_shell()
    shell.session.set_settings(shell.session.settings.changed(network=NetworkName.VGG19))
    qtbot.waitUntil(shell.weights.page.isVisible)
    qtbot.waitUntil(button(shell, "downloadNetworkButton").isEnabled)
    return shell


def button(shell, name) -> QPushButton:
    return shell.window.findChild(QPushButton, name)


def words(shell) -> str:
    labels = shell.weights.page.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def test_with_the_weights_in_place_the_page_is_not_seen(shell, qtbot):
    settle(shell.tasks, qtbot)
    assert not shell.weights.page.isVisible()


def test_without_weights_the_page_says_what_is_missing_its_size_and_where_it_goes(
    missing, published
):
    assert "VGG-19" in words(missing)
    assert URL in words(missing)
    assert "548 MB" in words(missing)
    assert str(published.destination) in words(missing)


def test_the_rest_of_the_window_works_without_weights(missing, photograph, qtbot):
    missing.dialogs.files = (photograph,)
    missing.window.actions_by_name[Action.OPEN_CONTENT].trigger()
    qtbot.waitUntil(lambda: missing.session.content is not None)


def test_rendering_without_weights_brings_the_page_and_no_dialog(missing, qtbot):
    button(missing, "dismissNetworkButton").click()
    assert not missing.weights.page.isVisible()
    missing.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(missing.weights.page.isVisible)
    assert not missing.dialogs.reports


def test_another_network_in_the_panel_is_looked_for_at_once(shell, published, qtbot):
    shell.session.set_settings(shell.session.settings.changed(network=NetworkName.VGG16))
    qtbot.waitUntil(shell.weights.page.isVisible)
    assert "VGG-16" in words(shell)


def test_a_download_shows_how_far_it_is_and_ends_with_the_page_gone(
    missing, network, monkeypatch, qtbot
):
    proceed = []

    def download(name, progressed, cancelled):
        progressed(137_000_000, 548_000_000)
        while not proceed:
            time.sleep(0.001)
        network.write_bytes(b"weights")
        return network

    monkeypatch.setattr(installed, "download_weights", download)
    button(missing, "downloadNetworkButton").click()
    qtbot.waitUntil(lambda: "137 MB of 548 MB" in words(missing))
    bar = missing.weights.page.findChild(QProgressBar)
    assert bar.value() == bar.maximum() // 4
    assert not button(missing, "downloadNetworkButton").isEnabled()
    proceed.append(True)
    qtbot.waitUntil(lambda: not missing.weights.page.isVisible())


@pytest.fixture
def downloading(missing, network, monkeypatch, qtbot):
    """A window whose download has not been answered yet, and what lets it arrive."""
    proceed = threading.Event()

    def download(name, progressed, cancelled):
        while not proceed.wait(0.001):
            if cancelled():
                raise Cancelled
        network.write_bytes(b"weights")
        return network

    monkeypatch.setattr(installed, "download_weights", download)
    button(missing, "downloadNetworkButton").click()
    qtbot.waitUntil(lambda: "Asking for the file" in words(missing))
    yield missing, proceed
    proceed.set()


def test_a_download_can_be_cancelled_before_anything_arrives(downloading, qtbot):
    shell, _proceed = downloading
    assert button(shell, "cancelDownloadButton").isVisible()
    button(shell, "cancelDownloadButton").click()
    qtbot.waitUntil(button(shell, "downloadNetworkButton").isEnabled)


def test_rendering_during_a_download_shows_the_download_again(downloading, qtbot):
    shell, _proceed = downloading
    button(shell, "dismissNetworkButton").click()
    shell.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(shell.weights.page.isVisible)
    assert "Asking for the file" in words(shell)
    assert not shell.dialogs.reports


def test_after_a_download_the_network_chosen_meanwhile_is_looked_for(downloading, qtbot):
    shell, proceed = downloading
    shell.session.set_settings(shell.session.settings.changed(network=NetworkName.VGG16))
    proceed.set()
    qtbot.waitUntil(lambda: "One thing is missing: VGG-16" in words(shell))


@pytest.fixture
def imported(network, monkeypatch):
    """The files that were imported."""
    imported = []

    def import_weights(source, name):
        imported.append(source.name)
        network.write_bytes(b"weights")
        return network

    monkeypatch.setattr(installed, "import_weights", import_weights)
    return imported


def locate_on_line(shell):
    buttons = shell.weights.line.findChildren(QToolButton)
    return next(button for button in buttons if button.text() == "Locate file…")


def test_nothing_else_can_be_begun_while_weights_come(downloading, qtbot):
    shell, proceed = downloading
    ways_in = [
        button(shell, "downloadNetworkButton"),
        button(shell, "locateNetworkButton"),
        locate_on_line(shell),
    ]
    assert not any(way.isEnabled() for way in ways_in)
    proceed.set()
    settle(shell.tasks, qtbot)
    assert locate_on_line(shell).isEnabled()


@pytest.mark.parametrize("way", ["download_requested", "locate_requested"])
def test_what_is_begun_nevertheless_is_refused_and_the_download_goes_on(
    downloading, imported, network, way, qtbot
):
    shell, proceed = downloading
    shell.dialogs.files = (network.with_name("mine.pth"),)
    getattr(shell.weights.page, way).emit()
    qtbot.waitUntil(lambda: bool(shell.dialogs.reports))
    assert "on their way already" in shell.dialogs.reports[0].message
    assert "Asking for the file" in words(shell)
    assert not button(shell, "locateNetworkButton").isEnabled()
    assert not network.exists()
    proceed.set()
    qtbot.waitUntil(lambda: not shell.weights.page.isVisible())
    assert not imported


def test_a_cancelling_that_is_not_heeded_yet_outlives_the_wish_for_another(
    missing, network, imported, monkeypatch, qtbot
):
    heeded, look, asked = [], threading.Event(), threading.Event()

    def download(name, progressed, cancelled):
        asked.set()
        look.wait(10)
        heeded.append(cancelled())
        raise Cancelled

    monkeypatch.setattr(installed, "download_weights", download)
    button(missing, "downloadNetworkButton").click()
    qtbot.waitUntil(asked.is_set)
    button(missing, "cancelDownloadButton").click()
    missing.dialogs.files = (network.with_name("mine.pth"),)
    missing.weights.page.locate_requested.emit()
    qtbot.waitUntil(lambda: bool(imported or missing.dialogs.reports))
    look.set()
    settle(missing.tasks, qtbot)
    assert heeded == [True]


def test_no_download_begins_while_a_file_is_being_chosen(missing, monkeypatch, qtbot):
    begun, choosing = [], threading.Event()
    monkeypatch.setattr(installed, "download_weights", lambda *given: begun.append(given))

    async def choose(title):
        while not choosing.is_set():
            await asyncio.sleep(0.001)

    monkeypatch.setattr(missing.dialogs, "open_network", choose)
    button(missing, "locateNetworkButton").click()
    qtbot.waitUntil(lambda: not locate_on_line(missing).isEnabled())
    button(missing, "downloadNetworkButton").click()
    qtbot.waitUntil(lambda: bool(missing.dialogs.reports))
    choosing.set()
    settle(missing.tasks, qtbot)
    assert not begun
    assert missing.weights.page.isVisible()
    assert locate_on_line(missing).isEnabled()


def test_what_has_arrived_whole_is_being_checked(missing):
    missing.weights.page.show_download(548_000_000, 548_000_000)
    assert "Checking the file…" in words(missing)
    assert not button(missing, "cancelDownloadButton").isVisible()


def test_the_wait_for_the_engine_can_be_cancelled(
    network, published, make_shell, engine, monkeypatch, qtbot
):
    network.unlink()
    imported = []
    monkeypatch.setattr(installed, "import_weights", lambda *given: imported.append(given))
    engine.may_load.clear()
    shell = make_shell()
    shell.session.set_settings(shell.session.settings.changed(network=NetworkName.VGG19))
    qtbot.waitUntil(shell.weights.page.isVisible)
    shell.dialogs.files = (network.with_name("mine.pth"),)
    button(shell, "locateNetworkButton").click()
    qtbot.waitUntil(button(shell, "cancelDownloadButton").isVisible)
    button(shell, "cancelDownloadButton").click()
    qtbot.waitUntil(button(shell, "locateNetworkButton").isEnabled)
    engine.may_load.set()
    qtbot.waitUntil(button(shell, "downloadNetworkButton").isEnabled)
    assert not imported
    assert not shell.dialogs.reports


def test_a_cancelled_download_offers_to_go_on(missing, monkeypatch, qtbot):
    def download(name, progressed, cancelled):
        progressed(1, 548_000_000)
        while not cancelled():
            time.sleep(0.001)
        raise Cancelled

    monkeypatch.setattr(installed, "download_weights", download)
    button(missing, "downloadNetworkButton").click()
    qtbot.waitUntil(button(missing, "cancelDownloadButton").isVisible)
    button(missing, "cancelDownloadButton").click()
    qtbot.waitUntil(button(missing, "downloadNetworkButton").isEnabled)
    assert not missing.dialogs.reports
    assert not button(missing, "cancelDownloadButton").isVisible()


def test_a_failed_download_says_why_and_can_be_tried_again(missing, monkeypatch, qtbot):
    def download(name, progressed, cancelled):
        raise EngineError("The line broke.", "Try again.")

    monkeypatch.setattr(installed, "download_weights", download)
    button(missing, "downloadNetworkButton").click()
    qtbot.waitUntil(lambda: bool(missing.dialogs.reports))
    assert missing.dialogs.reports[0].message == "The line broke."
    qtbot.waitUntil(button(missing, "downloadNetworkButton").isEnabled)


def test_locating_a_file_imports_it_for_the_missing_network(missing, network, monkeypatch, qtbot):
    imported = []

    def import_weights(source, name):
        imported.append((source.name, name))
        network.write_bytes(b"weights")
        return network

    monkeypatch.setattr(installed, "import_weights", import_weights)
    missing.dialogs.files = (network.with_name("mine.pth"),)
    button(missing, "locateNetworkButton").click()
    qtbot.waitUntil(lambda: not missing.weights.page.isVisible())
    assert imported == [("mine.pth", NetworkName.VGG19)]


def test_the_menu_says_where_the_weights_are(shell, network, qtbot):
    shell.window.actions_by_name[Action.NETWORK].trigger()
    qtbot.waitUntil(shell.weights.page.isVisible)
    assert "is ready" in words(shell)
    assert str(network) in words(shell)
