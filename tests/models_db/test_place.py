"""A place is known to a hundredth of a degree: nobody learns more of it, from whatever places they look."""

from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from tests.models_db.conftest import AS_OF, settle

Place = tuple[float, float]

ONE_CELL: list[Place] = [(52.5, 13.4), (52.49501, 13.39501), (52.50499, 13.40499), (52.49501, 13.40499)]
"""A cell's centre and places at its corners, 1.1 km of latitude and 0.7 km of longitude apart."""
VIEWERS = range(100, 400)
SEEN = """
SELECT array_agg(matching.is_eligible(viewer, candidate, :as_of) ORDER BY viewer.id),
       array_agg(matching.distance_km(viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude)
           ORDER BY viewer.id)
FROM app.profiles AS viewer, app.profiles AS candidate WHERE viewer.gender = 'woman' AND candidate.gender = 'man'
GROUP BY candidate.id ORDER BY candidate.id
"""
SHOWN = """
SELECT array_agg((viewer_id, distance_km) ORDER BY viewer_id) FROM matching.visible_candidates WHERE gender = 'man'
GROUP BY candidate_id ORDER BY candidate_id
"""


def settle_viewers(connection: Connection) -> None:
    """Women who stand anywhere within 30 km, as if one of them went about, each with a limit of her own."""
    random = Random(3)  # noqa: S311 - a town, not a secret
    for number in VIEWERS:
        place = {"latitude": random.uniform(52.25, 52.75), "longitude": random.uniform(13.0, 13.8)}
        limit = {"max_distance_km": random.uniform(0, 40)}
        settle(connection, [number], gender="woman", seeks=["man"], **place, **limit)


def test_people_of_one_cell_look_the_same_from_everywhere(connection: Connection) -> None:
    """So distances and limits, measured from any number of places, tell the cell and no more."""
    settle_viewers(connection)
    for number, (latitude, longitude) in enumerate(ONE_CELL):
        settle(connection, [number], gender="man", seeks=["woman"], latitude=latitude, longitude=longitude)
    seen = connection.execute(text(SEEN), {"as_of": AS_OF}).all()
    assert len(seen) == len(ONE_CELL)
    assert all(each == seen[0] for each in seen)
    assert 50 < sum(seen[0][0]) < 250, "the limits decide"
    shown = connection.execute(text(SHOWN)).all()
    assert len(shown) == len(ONE_CELL)
    assert all(each == shown[0] for each in shown)


def test_a_viewer_who_moves_within_a_cell_sees_the_same(connection: Connection) -> None:
    query = text("SELECT matching.distance_km(:a, :b, 52.123, 5.456)")
    seen = {connection.scalar(query, {"a": latitude, "b": longitude}) for latitude, longitude in ONE_CELL}
    assert len(seen) == 1


def test_the_next_cell_is_another_place(connection: Connection) -> None:
    query = text("SELECT matching.distance_km(52.004, 5, 52.006, 5)")
    assert connection.scalar(query) == pytest.approx(1.11195, abs=1e-5)  # 0.22 km apart, on both sides of a border


def test_a_cell_is_that_of_the_nearest_hundredth(connection: Connection) -> None:
    query = text("SELECT matching.round_coordinate(:degrees)")

    @given(st.floats(-180, 180))
    @example(180.0)
    @example(-0.005)
    def is_near(degrees: float) -> None:
        rounded = connection.scalar(query, {"degrees": degrees})
        assert rounded == round(rounded, 2)
        assert abs(rounded - degrees) <= 0.005 + 1e-12

    is_near()


@pytest.mark.parametrize("place", [(90.004, 5.0), (-91.0, 5.0), (52.0, 180.004), (52.0, -500.0), (1e308, 5.0)])
def test_a_place_that_is_not_on_the_globe_is_unknown(connection: Connection, place: Place) -> None:
    query = text("SELECT matching.distance_km(:a, :b, 52, 5), matching.distance_km(52, 5, :a, :b)")
    assert connection.execute(query, {"a": place[0], "b": place[1]}).one() == (None, None)


@pytest.mark.parametrize("number", ["infinity", "-infinity", "nan"])
def test_a_place_that_is_no_number_is_unknown(connection: Connection, number: str) -> None:
    query = text("SELECT matching.distance_km(:a, 5, 52, 5), matching.distance_km(52, 5, 52, :a)")
    assert connection.execute(query, {"a": float(number)}).one() == (None, None)
