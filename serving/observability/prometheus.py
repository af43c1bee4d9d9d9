"""What operations watches, for Prometheus: how fast each route answers, the pool, the age of what is served.

`/metrics` asks for no token: it belongs to the network inside, and whoever runs the API keeps it from the outside. It
speaks of this process alone, so that each process is scraped by itself, and of nobody: no label comes from a person.
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

router = APIRouter(include_in_schema=False)  # not of the contract with the app, whose client is made from the document


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        # Those refused by the rate limit are the ones with status 429.
        self._seconds = Histogram(
            "matching_request_seconds",
            "Time to answer, by the template of the route; `none` where no route fits.",
            ["method", "route", "status"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._series = cache(self._seconds.labels)  # a look-up instead of locks and text at every answer
        self._pool = {
            "pool_size": self._make_gauge("matching_pool_connections", "Connections to the database."),
            "pool_available": self._make_gauge("matching_pool_available", "Connections that are idle."),
            "requests_waiting": self._make_gauge("matching_pool_waiting", "Requests that wait for a connection."),
        }
        self._publication = self._make_gauge("matching_publication_id", "The live publication; NaN if there is none.")
        self._age = self._make_gauge("matching_publication_age_seconds", "Since it was made; NaN if there is none.")

    def _make_gauge(self, name: str, about: str) -> Gauge:
        return Gauge(name, about, registry=self._registry)

    def observe_response(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        known = method if method in METHODS else "other"  # else strangers could make as many series as they like
        self._series(known, route, status).observe(seconds)

    def render(self, pool: Mapping[str, int], live: LivePublication | None) -> bytes:
        """Everything measured, with the state of the pool (its `get_stats`) and of what is served at this moment."""
        for name, gauge in self._pool.items():
            gauge.set(pool.get(name, 0))  # the pool leaves out what is 0
        self._publication.set(nan if live is None else live.id)
        self._age.set(nan if live is None else live.age_seconds)
        return generate_latest(self._registry)


@router.get("/metrics")
async def get_metrics(request: Request) -> Response:
    """The metrics of this process, in Prometheus's text format; they are there without a database too."""
    pool: AsyncConnectionPool = request.state.pool
    connections = pool.get_stats()  # before the next line has to wait for one
    try:
        live = await fetch_live_publication(pool)
    except DatabaseUnavailable:
        live = None
    metrics: Metrics = request.state.metrics
    return Response(metrics.render(connections, live), media_type=CONTENT_TYPE_LATEST)
