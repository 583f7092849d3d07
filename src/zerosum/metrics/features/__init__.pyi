# Written by `make stubs`; do not edit.
"""Extractors: what a score sees of an image. uint8 images in, features out."""

from zerosum.metrics.features import classifier_features as classifier_features
from zerosum.metrics.features import dinov2 as dinov2
from zerosum.metrics.features import extractor as extractor
from zerosum.metrics.features import feature_network as feature_network
from zerosum.metrics.features import inception as inception
from zerosum.metrics.features import lite0 as lite0
from zerosum.metrics.features import pixels as pixels
from zerosum.metrics.features import random_conv as random_conv
from zerosum.metrics.features.classifier_features import ClassifierFeatures as ClassifierFeatures
from zerosum.metrics.features.dinov2 import DinoV2 as DinoV2
from zerosum.metrics.features.extractor import Extractor as Extractor
from zerosum.metrics.features.extractor import Features as Features
from zerosum.metrics.features.extractor import Function as Function
from zerosum.metrics.features.extractor import extractor_kinds as extractor_kinds
from zerosum.metrics.features.extractor import extractor_named as extractor_named
from zerosum.metrics.features.feature_network import Differentiable as Differentiable
from zerosum.metrics.features.feature_network import FeatureNetwork as FeatureNetwork
from zerosum.metrics.features.inception import Inception as Inception
from zerosum.metrics.features.lite0 import Lite0 as Lite0
from zerosum.metrics.features.pixels import Pixels as Pixels
from zerosum.metrics.features.random_conv import RandomConv as RandomConv
