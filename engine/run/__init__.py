"""The loop: a job from its first step to its last, its optimisers, its states and the device."""
