"""The desktop window: panes, panels and dialogs around one session with the engine."""
