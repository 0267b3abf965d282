"""The frame: the window, its actions, and everything put together."""
