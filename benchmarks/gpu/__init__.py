"""What a GPU does: its tests, waits of the host for it, speed and memory of training steps, and a short run."""
