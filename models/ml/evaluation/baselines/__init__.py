"""What the ranker has to beat: published and plain methods, all from a `Setting` to `Scores`."""

from collections.abc import Callable, Mapping

from models.ml.evaluation.baselines import factorisation, ranking, recon, ridge, simple, trees
from models.ml.evaluation.baselines.setting import Scores, Setting

Baseline = Callable[[Setting], Scores]

BASELINES: Mapping[str, Baseline] = {
    "random": simple.random,
    "popularity": simple.popularity,
    "beta_binomial": simple.beta_binomial,
    "interest_cosine": simple.interest_cosine,
    "stated_preference": simple.stated_preference,
    "recon_segment": recon.segment,
    "recon_individual": recon.individual,
    "lfrr": factorisation.lfrr,
    "mf_with_biases": factorisation.with_biases,
    "ridge_logistic": ridge.ridge,
    "lightgbm_product": trees.by_product,
    "lightgbm_harmonic": trees.by_harmonic_mean,
    "lightgbm_minimum": trees.by_minimum,
    "lightgbm_direct": trees.direct,
    "lambdarank": ranking.lambdarank,
}
