"""Photographs enlarged by four: how the network is trained, and the head of its table."""

_LATER = "Scheduled(Ramp(start=0.88, stop=0.885), "  # in the game, after the absolute error alone
_TERMS = f"L1(5.0), {_LATER}DiscriminatorFeatures(1.0)), {_LATER}Perceptual('lite0', 2.0))"
ARGUMENTS = (
    *("--images", "34000", "--batch", "8", "--set", "pretrain=0.88", "--set", "ema=500.0"),
    *("--set", "G_opt=Adam(lr=2e-3, betas=(0.9, 0.99), schedule=Cosine(end=0.1, until=0.88))"),
    *("--set", "D_opt=Adam(lr=1e-3, betas=(0.5, 0.99))", "--set", f"g_terms=({_TERMS})"),
)
HEAD = (
    "| application | method | PSNR, dB | SSIM | sharpness | perceptual distance | consistency, dB | processor s |\n"
    + "| --- " * 8
    + "|"
)
