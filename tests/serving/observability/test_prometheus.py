"""What Prometheus reads of a running API."""

import math
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import uuid4

from prometheus_client.parser import text_string_to_metric_families

from serving.observability.prometheus import Metrics
from tests.serving.conftest import Api, Users

SECONDS = "matching_request_seconds"


def samples(text: str) -> dict[str, float]:
    """Value by name and labels, as Prometheus's own parser reads them."""
    return {
        " ".join([sample.name, *(label for _, label in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(api: Api) -> dict[str, float]:
    response = api.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    return samples(response.text)


def test_responses_are_counted_by_method_route_and_status(api: Api, users: Users) -> None:
    me, _ = users.viewer()
    before, begun = scrape(api), perf_counter()
    for _ in range(3):
        assert api.matches(me).status_code == 200
    api.get("/v1/me/matches", "bad")
    api.client.head("/livez")
    api.get(f"/v1/{me}")
    after = scrape(api)
    counted = {"/v1/me/matches 200": 3, "/v1/me/matches 401": 1, "/livez 200": 1, "none 404": 1}
    for series, count in counted.items():
        name = f"{SECONDS}_count GET {series}"
        assert after[name] - before.get(name, 0) == count, series
    total = f"{SECONDS}_sum GET /v1/me/matches 200"
    assert 0 < after[total] - before.get(total, 0) < perf_counter() - begun


def test_publication_pool_and_process(api: Api, users: Users) -> None:
    assert math.isnan(scrape(api)["matching_publication_age_seconds"])
    publication = users.publish({}, made_at=datetime.now(UTC) - timedelta(hours=2))
    found = scrape(api)
    assert found["matching_publication_id"] == publication
    assert 7200 <= found["matching_publication_age_seconds"] < 9000
    assert 1 <= found["matching_pool_available"] <= found["matching_pool_connections"] <= 8
    assert found["matching_pool_waiting"] == 0
    assert found["process_resident_memory_bytes"] > 1e7


def test_unknown_methods_share_a_series_and_applications_none() -> None:
    one, other = Metrics(), Metrics()
    for _ in range(100):
        one.observe_response(uuid4().hex, "none", 405, 0.002)
    for seconds in (0.0009, 0.02, 4.0, 60.0):
        one.observe_response("GET", "/livez", 200, seconds)
    found = samples(one.render({"requests_waiting": 3}, None).decode())
    assert (found[f"{SECONDS}_count other none 405"], found["matching_pool_waiting"]) == (100, 3)
    buckets = ("0.001", "0.01", "0.025", "2.5", "5.0", "+Inf")
    assert [found[f"{SECONDS}_bucket {bucket} GET /livez 200"] for bucket in buckets] == [1, 1, 2, 2, 3, 4]
    assert not [name for name in samples(other.render({}, None).decode()) if name.startswith(SECONDS)]
