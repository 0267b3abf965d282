"""Everything that turns pictures into a pastiche; free of Qt, and torch-free until a job starts."""

import os
import tempfile
from pathlib import Path

__version__ = "0.1.0"

# These are read when torch is loaded; whoever has set them otherwise is obeyed.
# A thread that waits sleeps: spinning, it takes the core that the other threads, the window or
# another program need to get on.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Large blocks in large pages, where Linux has them, leave fewer gaps between them.
if Path("/sys/kernel/mm/transparent_hugepage").exists():
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
# Some of torch's optimisers load its compiler, which makes a folder for what it compiles: nothing.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", tempfile.gettempdir())
