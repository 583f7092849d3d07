"""The names of signals and what they say; in a log each has the prefix `signal/`."""

__all__ = ()

SIGNAL = "signal/"  # prefix in a log
SIGNALS = {
    "real_above": "Share of pairs in which D scores the real sample above the generated one: 1/2 if it cannot "
    "distinguish them, 1 if it separates them.",
    "score_gap": "Difference of the mean scores of real and generated samples, in standard deviations of the scores.",
    "arbiter": "AUC of a new kernel classifier on fixed features, real against samples of the averaged G: 1/2 if the "
    "two sets cannot be distinguished.",
    "arbiter_live": "arbiter of the live G.",
    "spread": "Mean distance of two samples of the averaged G in random-convolution features, over that of real ones.",
    "spread_live": "spread of the live G.",
    "spread_pixels": "Mean distance of two samples of the averaged G in pixels or coordinates, over that of real ones.",
    "spread_pixels_live": "spread_pixels of the live G.",
    "clusters": "Clusters of real samples that samples of the averaged G fall into, over those that as many further "
    "real samples do: the exponential of the entropy.",
    "clusters_live": "clusters of the live G.",
    "coverage": "Share of real samples with a sample of the averaged G nearer than their fifth real neighbour, over "
    "that of further real samples.",
    "coverage_live": "coverage of the live G.",
    "mean_distance": "Distance of samples from the mean of the data, over that of real samples: 0 for the mean image.",
    "offset": "Distance of the mean of the samples from the mean of the data, over that of real samples.",
    "shift": "How far samples of the same latents have moved since the last check-up, over their mean distance.",
    "shift_live": "shift of the live G.",
    "return": "Distance of the samples from those two check-ups ago, over that from the last: below 1 if G goes back.",
    "return_live": "return of the live G.",
    "average_gap": "Distance of samples of the live and the averaged G of the same latents, over their mean distance.",
    "average_lag": "Distance of the averaged weights of G from the live ones, over the norm of these.",
    "response": "Norm of the change of G's samples along a random direction of z, over what a linear G of the same "
    "spread would have.",
    "loss_gradient": "Gradient of G's loss in D's scores, over that at the scores of a D that cannot "
    "distinguish the sets: 0 if the loss saturates.",
    "steepness": "Gradient norm of D's score at generated samples times their distance from real ones, over the gap "
    "of the mean scores: 0 if D is flat there.",
    "steepness_real": "steepness at real samples.",
    "held_out": "Share of pairs in which D scores a training sample above a held-out one: 1/2 unless D memorises.",
    "penalty_gradient": "Mean gradient norm of D at the points of a penalty that has a target, over that target.",
    "clipped": "Share of D's weights at the limit of the clipping.",
    "spectrum_G": "Share of singular values below a tenth of the largest, mean over the layers of G.",
    "spectrum_D": "spectrum_G of D.",
    "dead_G": "Largest share of constant units among the inputs of a layer of G.",
    "dead_D": "dead_G of D.",
    "update_G": "Size of an iteration's update of G, over the norm of its weights.",
    "update_D": "update_G of D.",
    "turn_G": "Cosine between two successive updates of G.",
    "turn_D": "turn_G of D.",
    "condition_response": "How far samples of the same latents move when their conditions are exchanged, over the "
    "distance of samples of other latents and conditions.",
    "latent_response": "How far samples of the same conditions move when their latents are exchanged, over the same.",
    "class_accuracy": "Share of samples nearest to the mean of the class asked for, over that of real samples, both "
    "above random ones.",
    "class_shift": "Total variation between the shares of classes among samples and real ones, by the nearest class "
    "mean, above that of as many real samples.",
    "class_spread": "Mean distance of two samples of one class, over that of real samples of one class.",
    "nearest": "Median distance of samples to the nearest training sample, over that of real samples.",
    "copies": "Share of samples nearer to a training sample than a tenth of the median distance between neighbours.",
    "epochs": "Images seen, over the number of training samples.",
    "data_copies": "Share of real samples with an identical or nearly identical other one.",
    "data_constant": "Share of constant images among real samples.",
    "data_balance": "Effective number of classes, the exponential of the entropy of their shares, over their number.",
}
