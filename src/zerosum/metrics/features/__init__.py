"""Extractors: what a score sees of an image. uint8 images in, features out."""

from zerosum._rooms import open_room

open_room(__name__)
