"""What Prometheus reads of a running API."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.observability.prometheus import Metrics
from tests.serving.conftest import Api, Town, serving, token_for

Samples = dict[tuple[str, ...], float]


def samples(text: str) -> Samples:
    """Value by name and labels, as Prometheus's own parser reads them."""
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(api: Api) -> Samples:
    answer = api.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return samples(answer.text)


def answers(found: Samples, method: str, route: str, status: int) -> float:
    labels = (f"method={method}", f"route={route}", f"status={status}")
    return found.get(("matching_request_seconds_count", *labels), 0)


def test_answers_are_counted_by_method_route_and_status(api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    before, begun = scraped(api), perf_counter()
    for _ in range(3):
        assert api.matches(me).status_code == 200
    api.get("/v1/me/matches", "bad")
    api.client.head("/livez")
    api.client.request("BREW", "/v1/me/matches")
    api.get(f"/v1/{me}")
    after = scraped(api)
    for method, route, status, count in [
        ("GET", "/v1/me/matches", 200, 3),
        ("GET", "/v1/me/matches", 401, 1),
        ("GET", "/livez", 200, 1),
        ("GET", "none", 404, 1),
    ]:
        assert answers(after, method, route, status) - answers(before, method, route, status) == count, route
    summed = ("matching_request_seconds_sum", "method=GET", "route=/v1/me/matches", "status=200")
    assert 0 < after[summed] - before.get(summed, 0) < perf_counter() - begun


def test_the_live_publication_and_its_age(api: Api, town: Town) -> None:
    assert math.isnan(scraped(api)[("matching_publication_age_seconds",)])
    publication = town.publish({}, made_at=datetime.now(UTC) - timedelta(hours=2))
    found = scraped(api)
    assert found[("matching_publication_id",)] == publication
    assert 7200 <= found[("matching_publication_age_seconds",)] < 7260


def test_the_pool_and_the_process(api: Api, town: Town) -> None:
    town.publish({})
    found = scraped(api)
    assert 2 <= found[("matching_pool_connections",)] <= 8
    assert 1 <= found[("matching_pool_available",)] <= found[("matching_pool_connections",)]
    assert found[("matching_pool_waiting",)] == 0
    assert found[("process_resident_memory_bytes",)] > 1e7


def test_nobody_is_in_the_metrics(api: Api, town: Town) -> None:
    me, he = town.person(display_name="Rumpelstiltskin"), town.person("man")
    town.publish({me: [he]})
    token = token_for(me)
    for path in ("/v1/me/matches", f"/v1/me/matches/{he}", f"/v1/me/matches?limit={he}", f"/v1/{he}"):
        api.get(path, token)
    text = api.get("/metrics").text
    for personal in (str(me), str(he), me.hex, he.hex, token, "Rumpelstiltskin", "?"):
        assert personal not in "\n".join(line for line in text.splitlines() if not line.startswith("#")), personal


def test_they_are_there_without_a_database(tmp_path: Path) -> None:
    with serving("postgresql://127.0.0.1:1/nowhere", tmp_path / "log") as api:
        found = scraped(api)
        assert math.isnan(found[("matching_publication_id",)])
        assert found[("matching_pool_available",)] == 0


def test_two_applications_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.observe_response("GET", "/livez", 200, 0.002)
    assert answers(samples(one.render({}, None).decode()), "GET", "/livez", 200) == 1
    assert answers(samples(other.render({}, None).decode()), "GET", "/livez", 200) == 0


def test_strangers_make_no_series_of_their_own() -> None:
    metrics = Metrics()
    for _ in range(100):
        metrics.observe_response(uuid4().hex, "none", 405, 0.002)
    assert answers(samples(metrics.render({}, None).decode()), "other", "none", 405) == 100


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0009, "0.001"), (0.02, "0.025"), (4.0, "5.0"), (60.0, "+Inf")])
def test_an_answer_is_in_the_bucket_of_its_time(seconds: float, bucket: str) -> None:
    metrics = Metrics()
    metrics.observe_response("GET", "/livez", 200, seconds)
    found = samples(metrics.render({}, None).decode())
    counted = [key[1] for key, value in found.items() if key[0] == "matching_request_seconds_bucket" and value == 1]
    assert counted[0] == f"le={bucket}"
