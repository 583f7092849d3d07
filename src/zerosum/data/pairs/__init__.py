"""Images with an image as the condition: derived from the sample, or the other of a pair."""
