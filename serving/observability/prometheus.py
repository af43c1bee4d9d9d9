"""Prometheus metrics: the response time of each route, the connection pool, and the age of the live publication.

`/metrics` needs no token. It is meant for the internal network, and the operator must block it from outside. It
describes this process alone, so each process must be scraped separately. No label contains personal data.
"""

from collections.abc import Mapping
from functools import cache
from math import nan

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from psycopg_pool import AsyncConnectionPool

from models.db.errors import DatabaseUnavailable
from serving.queries import LivePublication, fetch_live_publication

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}

router = APIRouter(include_in_schema=False)  # the app's client is generated from the document and needs no metrics


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        # Status 429 counts the requests that the rate limit rejected.
        self._seconds = Histogram(
            "matching_request_seconds",
            "Response time by route template; `none` where no route matches.",
            ["method", "route", "status"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        # Without the cache, prometheus_client locks and formats the labels at each response.
        self._series = cache(self._seconds.labels)
        self._pool = {
            "pool_size": self._make_gauge("matching_pool_connections", "Connections to the database."),
            "pool_available": self._make_gauge("matching_pool_available", "Idle connections."),
            "requests_waiting": self._make_gauge("matching_pool_waiting", "Requests waiting for a connection."),
        }
        self._publication = self._make_gauge("matching_publication_id", "The live publication; NaN if there is none.")
        self._age = self._make_gauge("matching_publication_age_seconds", "Age of the live publication; NaN if none.")

    def _make_gauge(self, name: str, about: str) -> Gauge:
        return Gauge(name, about, registry=self._registry)

    def observe_response(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record one response."""
        known = method if method in METHODS else "other"  # bounds the number of series
        self._series(known, route, status).observe(seconds)

    def render(self, pool: Mapping[str, int], live: LivePublication | None) -> bytes:
        """Return all metrics in Prometheus's text format.

        Args:
            pool: The result of `get_stats` of the connection pool.
            live: The live publication, None if there is none.
        """
        for name, gauge in self._pool.items():
            gauge.set(pool.get(name, 0))  # the pool omits zeros
        self._publication.set(nan if live is None else live.id)
        self._age.set(nan if live is None else live.age_seconds)
        return generate_latest(self._registry)


@router.get("/metrics")
async def get_metrics(request: Request) -> Response:
    """Return the metrics of this process in Prometheus's text format, also when the database is unavailable."""
    pool: AsyncConnectionPool = request.state.pool
    connections = pool.get_stats()  # before this request itself waits for a connection
    try:
        live = await fetch_live_publication(pool)
    except DatabaseUnavailable:
        live = None
    metrics: Metrics = request.state.metrics
    return Response(metrics.render(connections, live), media_type=CONTENT_TYPE_LATEST)
