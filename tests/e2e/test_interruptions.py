"""A logout, a closed terminal or Ctrl-C costs no picture; real signals to real processes."""

from __future__ import annotations

import json
import os
import pty
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from terminal import MAIN, Terminal

from engine.cli import render
from engine.weights import downloads, installed
from engine.weights.downloads import Published, fetch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals to other processes")

# From the second scale on there is something to keep; all six would take minutes.
LONG = (
    "--size=64", "--set=coarsest_size=16", "--set=scale_factor=1.25", "--set=steps=1",
    "--set=steps_falloff=4",
)  # fmt: skip
KINDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def begin(terminal: Terminal, *more: str, **options: object) -> subprocess.Popen[str]:
    """Begin a render that takes minutes, and wait until there is a picture to keep."""
    process = terminal.begin(*terminal.words(*LONG, *more, content="style.png"), **options)
    assert process.stderr is not None
    assert any(line.startswith("Scale 2/") for line in process.stderr)
    return process


def assert_kept(terminal: Terminal) -> None:
    assert terminal.pixels().shape[2] == 3
    assert terminal.recipe().complete is False


@pytest.mark.parametrize("number", KINDS)
def test_a_signal_stops_keeps_and_says_so(terminal: Terminal, number: signal.Signals) -> None:
    process = begin(terminal, "--json")
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 128 + number
    assert err.splitlines()[-1] == "Stopped early; saved out.png"
    assert json.loads(out)["complete"] is False
    assert_kept(terminal)


def test_all_the_signals_of_a_logout_discard_nothing(terminal: Terminal) -> None:
    process = begin(terminal)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode > 128
    assert_kept(terminal)


def test_what_ignores_a_hangup_goes_on_through_it(terminal: Terminal) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which is all that nohup does
    process = begin(terminal)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode == 143
    assert_kept(terminal)


def test_a_closed_terminal_costs_no_picture(terminal: Terminal) -> None:
    words = terminal.words(*LONG, content="style.png")
    child, screen = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, str(MAIN), *words])
    shown = b""
    while b"Scale 2/" not in shown:
        shown += os.read(screen, 1000)
    os.close(screen)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    assert_kept(terminal)


@pytest.mark.parametrize("number", KINDS)
def test_a_signal_while_pictures_are_read_ends_with_one_sentence(
    terminal: Terminal, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "open_picture", lambda path: signal.raise_signal(number))
    before = terminal.everything()
    ended = terminal.render("--json")
    assert ended.code == 128 + number
    assert ended.err == "gramarye: Interrupted; nothing was saved.\n"
    assert json.loads(ended.out)["exit_code"] == ended.code
    assert terminal.everything() == before


def test_a_signal_while_saving_lets_it_finish(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = render.save_pixels

    def signal_and_save(*arguments: object, **options: object) -> None:
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        save(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(render, "save_pixels", signal_and_save)
    assert terminal.render().code == 0
    assert terminal.recipe().complete


IMPORTING = """
import os, signal, sys
sys.path.insert(0, {root!r})
import main

class Watch:
    def find_spec(self, name, *_):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Watch())
sys.argv[1:] = {words!r}
main.program()
"""


@pytest.mark.parametrize("number", KINDS)
@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("engine.spec.errors", ["devices"]),
        ("engine.cli.commands", ["devices"]),
        ("datetime", ["devices"]),
        ("numpy._core._exceptions", ["devices"]),
        ("torch", ["devices"]),
        ("PySide6.QtGui", []),
        ("gui.app.window", []),
    ],
)
def test_a_signal_while_the_program_loads_prints_no_traceback(
    terminal: Terminal, module: str, words: list[str], number: signal.Signals
) -> None:
    program = IMPORTING.format(
        root=str(MAIN.parent), module=module, words=words, number=int(number)
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    if module == "engine.spec.errors":  # before signals are listened to, they simply end it
        assert (ended.returncode, ended.stderr) == (-number, "")
    else:
        assert ended.returncode == 128 + number
        assert ended.stderr == "gramarye: Interrupted; nothing was saved.\n"
    assert ended.stdout == ""


CERTIFICATE = Path(__file__).parents[1] / "data" / "tls" / "localhost.pem"


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a file of which one megabyte arrives, and then nothing."""
    enough = threading.Event()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2000000")
            self.send_header("ETag", '"first"')
            self.end_headers()
            self.wfile.write(bytes(1_000_000))
            enough.wait()

        def log_message(self, *_: object) -> None:
            """Not to stderr."""

    server = HTTPServer(("127.0.0.1", 0), Site)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(CERTIFICATE)
    server.socket = own.wrap_socket(server.socket, server_side=True)
    trusted = ssl.create_default_context(cafile=str(CERTIFICATE))
    monkeypatch.setattr(downloads, "_trusted", lambda: trusted)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://localhost:{server.server_port}/vgg19.pth"
    enough.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_interrupted_download_keeps_what_has_arrived(
    terminal: Terminal, endless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = terminal.folder / "vgg19.pth"

    def download(_network: object, progressed: Callable[[int, int], None], *_: object) -> None:
        def interrupt(done: int, total: int) -> None:
            progressed(done, total)
            if done == 1_000_000:
                signal.raise_signal(signal.SIGTERM)

        file = Published(endless, 2_000_000, "0" * 64)
        fetch(file, place, interrupt, lambda: False)

    monkeypatch.setattr(installed, "download_weights", download)
    ended = terminal.type("weights", "download", "vgg19")
    assert ended.code == 143
    assert ended.err == "gramarye: Interrupted; what has arrived is kept.\n"
    assert place.with_name("vgg19.pth.part").stat().st_size == 1_000_000


def test_a_signal_leaves_no_half_written_weights(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    import engine.weights.checkpoints  # noqa: F401 - loaded, so that the signal comes later

    sync = os.fsync

    def interrupt(descriptor: int) -> None:
        signal.raise_signal(signal.SIGTERM)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", interrupt)
    ended = terminal.type("weights", "import", str(terminal.network))
    assert ended.code == 143
    folder = Path(os.environ["GRAMARYE_NETWORKS"])
    assert list(folder.iterdir()) == []
