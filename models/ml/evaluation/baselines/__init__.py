"""Baselines: published and simple methods that the ranker has to beat, from a `BaselineInput` to `BaselineScores`."""

from collections.abc import Callable, Mapping

from models.ml.evaluation.baselines import boosted_trees, factorisation, lambdarank, recon, ridge, untrained
from models.ml.evaluation.baselines.baseline_input import BaselineInput, BaselineScores

Baseline = Callable[[BaselineInput], BaselineScores]

BASELINES: Mapping[str, Baseline] = {
    "random": untrained.score_random,
    "popularity": untrained.score_popularity,
    "beta_binomial": untrained.score_beta_binomial,
    "interest_cosine": untrained.score_interests,
    "stated_preference": untrained.score_stated_preferences,
    "recon_segment": recon.score_recon_by_gender,
    "recon_individual": recon.score_recon_by_viewer,
    "lfrr": factorisation.score_lfrr,
    "mf_with_biases": factorisation.score_biased_factors,
    "ridge_logistic": ridge.score_ridge,
    "lightgbm_product": boosted_trees.score_trees_by_product,
    "lightgbm_harmonic": boosted_trees.score_trees_by_harmonic_mean,
    "lightgbm_minimum": boosted_trees.score_trees_by_minimum,
    "lightgbm_direct": boosted_trees.score_trees_on_matches,
    "lambdarank": lambdarank.score_lambdarank,
}
