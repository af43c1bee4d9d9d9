"""`matching.is_eligible` and the functions under it, by known answers; and what a view shows and keeps of a place."""

import math
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from tests.models_db.conftest import AS_OF, person_id, settle

Columns = dict[str, object]

HER, HIM = 1, 2
DEGREE_KM = 6371.0088 * math.pi / 180
"""One degree of a meridian on the sphere of the Earth's mean radius."""
PARIS_TO_AMSTERDAM_KM = 429.700339122
"""From 48.86, 2.35 to 52.37, 4.90, by the law of cosines."""
DISTANCE = "SELECT matching.distance_km(:a, :b, :c, :d), matching.distance_km(:c, :d, :a, :b)"
ELIGIBLE = """
SELECT viewer.id, candidate.id FROM app.profiles AS viewer, app.profiles AS candidate
WHERE matching.is_eligible(viewer, candidate, :as_of)
"""


def eligible(connection: Connection, her: Columns, him: Columns, as_of: date = AS_OF) -> bool:
    """Whether a woman born on 1 January 1990 and such a man, but for what is given, are eligible: a symmetric rule."""
    connection.execute(text("DELETE FROM app.profiles"))
    settle(connection, [HER], **her)
    settle(connection, [HIM], **him)
    found = {(viewer.int, candidate.int) for viewer, candidate in connection.execute(text(ELIGIBLE), {"as_of": as_of})}
    assert found in (set(), {(HER, HIM), (HIM, HER)})
    return bool(found)


HERE: Columns = {"latitude": 52.0, "longitude": 5.0}
NORTH: Columns = {"latitude": 53.0, "longitude": 5.0}
NEAR, FAR = {"max_distance_km": DEGREE_KM + 0.01}, {"max_distance_km": DEGREE_KM - 0.01}
LIMITS: list[Columns] = [{}, {"age_min": 0, "age_max": 150}]
PAIRS: list[tuple[Columns, Columns, bool]] = [
    ({}, {}, True),
    ({"seeks": ["woman", "nonbinary", "man"]}, {"seeks": ["man", "woman"]}, True),
    ({"seeks": ["nonbinary"]}, {"gender": "nonbinary"}, True),
    ({}, {"gender": "nonbinary"}, False),
    ({"seeks": ["woman"]}, {}, False),
    ({}, {"seeks": ["man"]}, False),
    ({"seeks": []}, {}, False),
    ({}, {"seeks": []}, False),
    ({"paused": True}, {}, False),
    ({"paused": True}, {"paused": True}, False),
    ({"age_min": 30, "age_max": 30}, {}, True),
    ({"age_min": 31}, {}, False),
    ({"age_max": 29}, {}, False),
    ({"age_min": 31, "age_max": 29}, {}, False),
    ({"birth_date": date(2002, 2, 1)}, {}, True),
    ({"birth_date": date(1909, 2, 2)}, {}, True),
    *[
        ({**limits, "birth_date": born}, limits, False)
        for born in (date(2002, 2, 2), date(1909, 2, 1), date(2030, 1, 1))  # 17, 111, not born
        for limits in LIMITS
    ],
    (HERE, NORTH, True),
    (HERE | NEAR, NORTH, True),
    (HERE | FAR, NORTH, False),
    (HERE | FAR, NORTH | NEAR, False),
    (HERE | {"max_distance_km": 0}, NORTH, False),
    (HERE | {"max_distance_km": 0}, HERE, True),
    (HERE | {"max_distance_km": 1}, NORTH | {"latitude": None}, True),
    (HERE | {"max_distance_km": 1}, NORTH | {"longitude": None}, True),
]


def test_each_rule_counts_for_both(connection: Connection, subtests: pytest.Subtests) -> None:
    for her, him, answer in PAIRS:
        of_genders = {"gender", "seeks"} & (her.keys() | him.keys())
        for one, other in [(her, him)] if of_genders else [(her, him), (him, her)]:
            with subtests.test(her=one, him=other):
                assert eligible(connection, one, other) is answer


def test_nobody_is_eligible_for_themselves(connection: Connection) -> None:
    settle(connection, [HER], seeks=["woman"])
    assert connection.execute(text(ELIGIBLE), {"as_of": AS_OF}).all() == []


def test_a_birthday_makes_a_pair_eligible(connection: Connection) -> None:
    pair: tuple[Columns, Columns] = {"birth_date": date(2002, 2, 28)}, {"age_min": 18}
    assert not eligible(connection, *pair, as_of=date(2020, 2, 27))
    assert eligible(connection, *pair, as_of=date(2020, 2, 28))


AGE = text("SELECT matching.age_in_years(:born, :day)")


def test_age_in_years_is_what_people_count(connection: Connection) -> None:
    """Someone born on 29 February turns a year older on 1 March of a common year."""

    @given(st.dates(date(1900, 1, 1), date(2020, 1, 1)), st.dates(date(2020, 1, 1), date(2100, 1, 1)))
    @example(date(2004, 2, 29), date(2022, 2, 28))
    @example(date(2004, 2, 29), date(2022, 3, 1))
    @example(date(2004, 2, 29), date(2024, 2, 28))
    @example(date(2004, 2, 29), date(2024, 2, 29))
    @example(date(1, 1, 2), date(2020, 2, 1))
    def agrees(born: date, day: date) -> None:
        counted = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        assert connection.scalar(AGE, {"born": born, "day": day}) == counted

    agrees()


@pytest.mark.parametrize("born", ["infinity", "-infinity", "0044-03-15 BC", "9999-12-31", "5874897-12-31"])
def test_a_date_beyond_the_calendar_is_nobody_s_birth(connection: Connection, born: str) -> None:
    """The one row must be no error for everybody who would meet it."""
    assert connection.scalar(text(f"SELECT matching.age_in_years('{born}', :day)"), {"day": AS_OF}) == -1


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((0, 0), (0, 0), 0),
        ((52, 5), (53, 5), DEGREE_KM),
        ((0, 179.5), (0, -179.5), DEGREE_KM),
        ((90, 0), (90, 137), 0),
        ((60, 0), (60, 180), 60 * DEGREE_KM),
        ((0, 0), (0, 180), 180 * DEGREE_KM),
        ((90, 0), (-90, 0), 180 * DEGREE_KM),
        ((48.8566, 2.3522), (52.3676, 4.9041), PARIS_TO_AMSTERDAM_KM),
        ((52.004, 5), (52.006, 5), DEGREE_KM / 100),  # 0.22 km apart, in two cells
    ],
)
def test_distance_km(connection: Connection, a: tuple[float, float], b: tuple[float, float], km: float) -> None:
    there, back = connection.execute(text(DISTANCE), dict(zip("abcd", (*a, *b), strict=True))).one()
    assert there == pytest.approx(km, abs=1e-6)
    assert back == there


NOT_ON_THE_GLOBE = (
    *({"a": value} for value in (None, 90.004, -91.0, 1e308, math.inf, -math.inf, math.nan)),
    *({"b": value} for value in (None, 180.004, -500.0, math.inf, math.nan)),
)


def test_the_distance_to_an_unknown_place_is_unknown(connection: Connection, subtests: pytest.Subtests) -> None:
    for place in NOT_ON_THE_GLOBE:
        with subtests.test(place=place):
            values = {"a": 52, "b": 5, "c": 53, "d": 5} | place
            assert connection.execute(text(DISTANCE), values).one() == (None, None)


def test_a_cell_is_that_of_the_nearest_hundredth(connection: Connection) -> None:
    @given(st.floats(-180, 180))
    @example(180.0)
    @example(-0.005)
    def is_near(degrees: float) -> None:
        rounded = connection.scalar(text("SELECT matching.round_coordinate(:degrees)"), {"degrees": degrees})
        assert rounded == round(rounded, 2)
        assert abs(rounded - degrees) <= 0.005 + 1e-12

    is_near()


ONE_CELL = [(52.5, 13.4), (52.49501, 13.39501), (52.50499, 13.40499), (52.49501, 13.40499)]
"""A cell's centre and places at its corners, 1.1 km of latitude and 0.7 km of longitude apart."""
SEEN_BY_WOMEN = """
SELECT array_agg((fits, there, back, distance_km) ORDER BY viewer.id)::text AS seen, count(*) FILTER (WHERE fits) AS fit
FROM app.profiles AS viewer CROSS JOIN app.profiles AS candidate CROSS JOIN LATERAL (
    SELECT matching.is_eligible(viewer, candidate, :as_of) AS fits,
        matching.distance_km(viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude) AS there,
        matching.distance_km(candidate.latitude, candidate.longitude, viewer.latitude, viewer.longitude) AS back
) AS pair
LEFT JOIN matching.visible_candidates ON viewer_id = viewer.id AND candidate_id = candidate.id
WHERE viewer.gender = 'woman' AND candidate.gender = 'man' GROUP BY candidate.id
"""


def test_people_of_one_cell_look_the_same_from_everywhere(connection: Connection) -> None:
    """So distances and limits, measured from any number of places, show the cell and no more."""
    for row in range(12):
        for column in range(12):
            place: Columns = {"latitude": 52.25 + 0.0417 * row, "longitude": 13.0 + 0.0683 * column}
            limit = {"max_distance_km": (row * 12 + column) * 7 % 41}
            settle(connection, [1001 + 2 * (row * 12 + column)], **place, **limit)
    for number, (latitude, longitude) in enumerate(ONE_CELL):
        settle(connection, [2 * number], latitude=latitude, longitude=longitude)
    seen = connection.execute(text(SEEN_BY_WOMEN), {"as_of": AS_OF}).all()
    assert len(seen) == len(ONE_CELL)
    assert set(seen) == {seen[0]}
    assert 20 < seen[0].fit < 120, "the limits decide"


def show(connection: Connection) -> list[tuple[object, ...]]:
    """How he is shown to her, by the view over tables without constraints, as an app's own views may be."""
    columns = "name, age, gender, distance_km, interests, texts"
    query = text(f"SELECT {columns} FROM matching.visible_candidates WHERE viewer_id = :her")
    return [tuple(row) for row in connection.execute(query, {"her": person_id(HER)})]


def test_what_is_missing_is_shown_as_nothing(connection: Connection) -> None:
    settle(connection, [HER, HIM])
    for column in ("display_name", "interests", "texts"):
        connection.execute(text(f"ALTER TABLE app.profiles ALTER {column} DROP NOT NULL"))
        connection.execute(text(f"UPDATE app.profiles SET {column} = NULL"))
    ((name, age, *others),) = show(connection)
    assert (name, *others) == ("", "man", None, [], {})
    assert isinstance(age, int)


@pytest.mark.parametrize("column", ["birth_date", "gender", "seeks", "paused"])
def test_who_lacks_what_the_rule_asks_for_is_not_shown(connection: Connection, column: str) -> None:
    settle(connection, [HER, HIM])
    assert show(connection)
    connection.execute(text(f"ALTER TABLE app.profiles ALTER {column} DROP NOT NULL"))
    connection.execute(text(f"UPDATE app.profiles SET {column} = NULL WHERE id = :him"), {"him": person_id(HIM)})
    assert not show(connection)
