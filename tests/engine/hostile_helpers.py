"""Helpers that crash, hang and grow, in place of one that decodes."""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def serve(_handle: str) -> None:
    """Do what the file is called."""
    for line in sys.stdin:
        kind = json.loads(line)["name"].partition(".")[0]
        match kind:
            case "crash":
                os.abort()
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "sleep":
                time.sleep(1000)
            case "spin":
                while True:
                    pass
            case "grow":
                held = []
                while True:
                    held.append(b"x" * (1 << 24))
            case "greedy":
                needs = {"result": 3, "memory": 1 << 50, "seconds": 1.0}
                print(json.dumps({"needs": needs}), flush=True)
            case "well":
                print(json.dumps({"text": str(os.getpid())}), flush=True)
