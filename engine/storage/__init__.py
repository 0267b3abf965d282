"""Pictures, recipes and presets on disk."""
