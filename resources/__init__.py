"""What our own work made and the program ships: icons, presets and a sample pair."""

from pathlib import Path

ROOT = Path(__file__).parent
ICONS = ROOT / "icons"
PRESETS = ROOT / "presets"
SAMPLES = ROOT / "samples"
