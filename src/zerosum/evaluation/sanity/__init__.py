"""The distortion gallery: which metrics detect which corruption of the data."""
