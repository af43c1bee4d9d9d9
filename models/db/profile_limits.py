"""The limits of a profile: one list for the loaders, the frame contract and the SQL rules.

SQL repeats these numbers in `matching.keeps_limits` and the functions beside it, because a migration never changes. A
test compares the two. A new number therefore needs a new migration.
"""

YOUNGEST, OLDEST = 18, 110
"""Years. Nobody younger or older is shown."""
AGE_LIMITS = (0, 150)
"""Years, for `age_min` and `age_max`."""
LATITUDES = (-90, 90)
"""Degrees."""
LONGITUDES = (-180, 180)
"""Degrees."""
DISTANCES_KM = (0, 40_100)
"""For `max_distance_km`: the Earth's circumference is no farther."""
TRAITS = (-1e9, 1e9)
WANTS = (0, 1)

LONGEST_WORD = 500
"""Characters of a name, gender, prompt, interest or fact."""
LONGEST_ANSWER = 10_000
"""Characters."""
MOST_ANSWERS = 50
MOST_INTERESTS = 200
MOST_GENDERS = 20
"""Genders that one person looks for."""

LARGEST_TEXTS = 65_536
"""Bytes of all answers together."""
LARGEST_SEEKS = 1_024
"""Bytes."""
LARGEST_VALUES = 32_768
"""Bytes of all interests, traits, facts or wants."""
