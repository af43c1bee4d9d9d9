"""The decisions of a simulated population: a two-sided random-utility model.

Viewer i likes candidate j, given an impression, if the utility exceeds that of passing (McFadden 1974, Conditional
logit analysis of qualitative choice behavior):

    u(i, j) = attraction(i, j) + chemistry(i, j) + ε,   ε standard logistic,
    so that   p_like(i, j) = sigmoid(attraction(i, j) + chemistry(i, j))

Attraction is a function of both users:

- the general appeal of j and the selectivity of i,
- the overlap of their topics, weighted by how much shared interests matter to i,
- the traits of j, weighted by the wants of i,
- the difference between j's age and the age that i likes best,
- the distance between them and the facts they share.

Chemistry is normal noise of the pair that no profile reveals. Half of its variance is common to both directions, so
likes are mutual more often than attraction alone explains.
"""

import numpy as np
from scipy.special import expit, ndtri

from models.ml.arrays import Float64Array, Int64Array
from models.ml.profiles.geography import compute_distance_km
from models.simulation.luck import draw_uniform
from pipelines.loaders.simulation.simulated_population import FACTS, TRAITS, SimulatedPopulation

CHEMISTRY = 0.9  # standard deviation, in log-odds
FACT_AGREEMENT = {
    "relationship": 0.45,
    "wants_children": 0.55,
    "smokes": 0.4,
    "education": 0.3,
    "drinks": 0.15,
    "pets": 0.2,
}


def compute_attraction(population: SimulatedPopulation, viewers: Int64Array, candidates: Int64Array) -> Float64Array:
    """Return the log-odds, before chemistry, that each viewer likes the candidate at the same index.

    Args:
        population: The simulated population.
        viewers: User numbers, shape (k,).
        candidates: User numbers, shape (k,).

    Returns:
        Log-odds, shape (k,).
    """
    i, j = viewers, candidates
    # Vectors of square roots of weights have length 1, so their dot product is a cosine: 1 for equal topics, 0 for
    # disjoint ones.
    overlap = np.einsum("kt,kt->k", np.sqrt(population.topics[i]), np.sqrt(population.topics[j]))
    taste = 2.6 * (0.5 + population.wants[i, -1]) * overlap
    wanted = 0.35 * np.einsum("kt,kt->k", population.wants[i, : len(TRAITS)], population.traits[j])
    age = -0.5 * ((population.age[j] - population.ideal_age[i]) / 6) ** 2
    away = compute_distance_km(population.place[i], population.place[j])
    alike: Float64Array = (population.facts[i] == population.facts[j]) @ np.array(
        [FACT_AGREEMENT.get(name, 0.0) for name in FACTS]
    )
    total: Float64Array = (
        population.appeal[j] - population.selectivity[i] + taste + wanted + age - 0.3 * np.log1p(away / 5) + alike
    )
    return total


def draw_chemistry(population: SimulatedPopulation, viewers: Int64Array, candidates: Int64Array) -> Float64Array:
    """Return the chemistry of each pair in log-odds, shape (k,).

    It is normal noise from a hash of seed and pair, so repeated calls return the same values.
    """
    mutual = _draw_normal(population.seed, 1, np.minimum(viewers, candidates), np.maximum(viewers, candidates))
    directed = _draw_normal(population.seed, 2, viewers, candidates)
    return np.asarray(CHEMISTRY / np.sqrt(2) * (mutual + directed))


def compute_p_like(population: SimulatedPopulation, viewers: Int64Array, candidates: Int64Array) -> Float64Array:
    """Return the probability, shape (k,), that each viewer likes the candidate at the same index, given an impression.

    It includes chemistry.
    """
    return np.asarray(
        expit(compute_attraction(population, viewers, candidates) + draw_chemistry(population, viewers, candidates))
    )


def compute_expected_p_like(
    population: SimulatedPopulation, viewers: Int64Array, candidates: Int64Array
) -> Float64Array:
    """Return `compute_p_like` averaged over chemistry by Gauss-Hermite quadrature, shape (k,).

    This is the best possible prediction from both profiles.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    expected = np.zeros(len(viewers))
    known = compute_attraction(population, viewers, candidates)
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        expected += weight * expit(known + CHEMISTRY * node)
    return expected


def _draw_normal(seed: int, stream: int, a: Int64Array, b: Int64Array) -> Float64Array:
    """Return a standard normal number for each pair (a, b), shape (k,)."""
    return np.asarray(ndtri(draw_uniform(seed, stream, a, b)))
