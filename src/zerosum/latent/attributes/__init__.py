"""Attributes of images as plain formulas."""
