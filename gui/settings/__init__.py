"""How it is made: presets and every parameter."""
