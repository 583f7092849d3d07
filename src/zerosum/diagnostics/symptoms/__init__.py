"""Symptoms of a run that does not go well, one function in one file each."""
