"""The limits of a profile, shared by the loaders, the frame contract and the SQL rules.

`matching.keeps_limits` and related SQL functions repeat these numbers, because migrations never change. A test compares
both. A new number therefore needs a new migration.
"""

MIN_AGE, MAX_AGE = 18, 110
"""Years. Users outside these ages are not shown."""
AGE_LIMITS = (0, 150)
"""Years, for `age_min` and `age_max`."""
LATITUDES = (-90, 90)
"""Degrees."""
LONGITUDES = (-180, 180)
"""Degrees."""
DISTANCES_KM = (0, 40_100)
"""For `max_distance_km`. The maximum is the circumference of the Earth."""
TRAITS = (-1e9, 1e9)
WANTS = (0, 1)

MAX_WORD_LENGTH = 500
"""Characters of a name, gender, prompt, interest or fact."""
MAX_ANSWER_LENGTH = 10_000
"""Characters."""
MAX_ANSWERS = 50
MAX_INTERESTS = 200
MAX_GENDERS = 20
"""Genders that one user looks for."""

MAX_TEXT_BYTES = 65_536
"""Bytes of all answers together."""
MAX_SEEKS_BYTES = 1_024
"""Bytes."""
MAX_VALUE_BYTES = 32_768
"""Bytes of all interests, traits, facts or wants."""
