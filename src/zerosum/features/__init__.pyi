# Written by `make stubs`; do not edit.
"""Feature extractors: functions of uint8 images that return features, and their networks as modules."""

from zerosum.features import classifier as classifier
from zerosum.features import classifier_features as classifier_features
from zerosum.features import dinov2 as dinov2
from zerosum.features import extractor as extractor
from zerosum.features import feature_network as feature_network
from zerosum.features import identity as identity
from zerosum.features import inception as inception
from zerosum.features import lite0 as lite0
from zerosum.features import perceptual_distance as perceptual_distance
from zerosum.features import perceptual_networks as perceptual_networks
from zerosum.features import pixels as pixels
from zerosum.features import random_conv as random_conv
from zerosum.features import regressor as regressor
from zerosum.features.classifier import Classifier as Classifier
from zerosum.features.classifier import train_classifier as train_classifier
from zerosum.features.classifier_features import ClassifierFeatures as ClassifierFeatures
from zerosum.features.dinov2 import DinoV2 as DinoV2
from zerosum.features.extractor import Extractor as Extractor
from zerosum.features.extractor import Features as Features
from zerosum.features.extractor import Function as Function
from zerosum.features.extractor import extracted as extracted
from zerosum.features.extractor import extractor_from as extractor_from
from zerosum.features.extractor import extractor_kinds as extractor_kinds
from zerosum.features.extractor import extractor_named as extractor_named
from zerosum.features.feature_network import Differentiable as Differentiable
from zerosum.features.feature_network import FeatureNetwork as FeatureNetwork
from zerosum.features.inception import Inception as Inception
from zerosum.features.lite0 import Lite0 as Lite0
from zerosum.features.perceptual_distance import PerceptualDistance as PerceptualDistance
from zerosum.features.perceptual_networks import AlexNet as AlexNet
from zerosum.features.perceptual_networks import VGG16 as VGG16
from zerosum.features.pixels import Pixels as Pixels
from zerosum.features.random_conv import RandomConv as RandomConv
from zerosum.features.regressor import Regressor as Regressor
from zerosum.features.regressor import train_regressor as train_regressor
