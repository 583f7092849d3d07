# Written by `make stubs`; do not edit.
"""Autoencoders: training one, and images as its latents."""

from zerosum.autoencoders import coding as coding
from zerosum.autoencoders import latents as latents
from zerosum.autoencoders.coding import Autoencoder as Autoencoder
from zerosum.autoencoders.coding import LatentCoding as LatentCoding
from zerosum.autoencoders.latents import Latents as Latents
from zerosum.autoencoders.latents import load_autoencoder as load_autoencoder
from zerosum.autoencoders.latents import train_autoencoder as train_autoencoder
