"""What our own work made and the program ships: icons, presets, samples, looks and a network."""

from pathlib import Path

ROOT = Path(__file__).parent
ICONS = ROOT / "icons"
PRESETS = ROOT / "presets"
SAMPLES = ROOT / "samples"
LOOKS = ROOT / "looks"
DRAFT_NETWORK = ROOT / "networks" / "draft.safetensors"
