"""Settings under which only content and style are asked, of pixels: what most tests begin with."""

from __future__ import annotations

from engine.spec.settings import DEFAULTS
from engine.storage.preset_store import preset_named

FLOWING = preset_named("Flowing").preset.applied_to(DEFAULTS)
