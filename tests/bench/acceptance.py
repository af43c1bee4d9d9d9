"""What the market policy is to reach, and whether it does."""

from collections.abc import Mapping, Sequence

from tests.bench.figures import Row, promise

ERRORS = 2  # standard errors within which a simulated figure counts as reached
OURS, TU = "best response", "TU β=1"


def acceptance(sections: Mapping[str, Sequence[Row]]) -> list[Row]:
    """A row a promise, and whether it holds. Promises of sections not run are left out."""
    rows: list[Row] = []
    for promises, section in ((_published, "published"), (_large, "large"), (_growing, "growing"), (_noisy, "noisy")):
        if section in sections:
            rows += promises(sections[section])
    return rows


def _published(rows: Sequence[Row]) -> list[Row]:
    welfare, error = "social welfare published", "± s.e."
    errors = [(_of(row, "simulated") - _of(row, welfare)) / _of(row, error) for row in rows]
    ahead = [row for row in rows if _of(row, "first trial") > _of(row, welfare) + ERRORS * _of(row, error)]
    above = min((_percent(_of(row, OURS), _of(row, welfare)) for row in ahead), default=0.0)
    others = [_percent(_of(row, OURS), max(_of(row, name) for name in ("naive", "product", TU))) for row in rows]
    return [
        promise("every cell: least distance from social welfare, in standard errors", min(errors), ">=", -ERRORS),
        promise("cells where the first trial was clearly above social welfare: least gain, %", above, ">", 0),
        promise("every cell: least gain over the best of naive, product, TU β=1, %", min(others), ">", 0),
    ]


def _large(rows: Sequence[Row]) -> list[Row]:
    ours = {_of(row, "λ"): row for row in rows if row["policy"] == OURS}
    gains = [
        promise(f"large market, λ = {crowding}: over TU, %", _of(ours[crowding], "over TU %"), ">=", least)
        for crowding, least in ((0.0, 0.4), (0.5, 0.9))
    ]
    return [*gains, promise("large market: seconds", max(_of(row, "seconds") for row in rows), "<=", 10)]


def _growing(rows: Sequence[Row]) -> list[Row]:
    at = {(row["policy"], _of(row, "people")): row for row in rows}
    smallest, largest = min(people for _, people in at), max(people for _, people in at)
    ours = at[OURS, largest]
    growth = _of(ours, "CPU seconds") / largest / (_of(at[OURS, smallest], "CPU seconds") / smallest)
    over_tu = _percent(_of(ours, "matches"), _of(at["tuned TU", largest], "matches"))
    return [
        promise("sparse town: distinct matches over product, %", _of(ours, "over product %"), ">=", 35),
        promise("sparse town: distinct matches over tuned TU, %", over_tu, ">=", 5),
        promise(f"{largest:,.0f} people: seconds", _of(ours, "seconds"), "<=", 30),
        promise(f"{largest:,.0f} people: peak MB", _of(ours, "peak MB"), "<=", 1500),
        promise("linear growth: CPU time a person in the largest town over the smallest", growth, "<=", 1.3),
    ]


def _noisy(rows: Sequence[Row]) -> list[Row]:
    """The worst of the AUCs."""
    found = []
    for noise in dict.fromkeys(row["noise"] for row in rows):
        for inbox, least in {"inv": 15.0, "log2": 5.0, "flat": -5.0}.items():
            gains = [_of(row, "hedged") for row in rows if row["noise"] == noise and row["true inbox"] == inbox]
            found.append(promise(f"noise {noise}, inbox {inbox}, q = 0.5: over product, %", min(gains), ">=", least))
    return found


def _percent(value: float, reference: float) -> float:
    return 100 * (value / reference - 1)


def _of(row: Row, name: str) -> float:
    return float(row[name])
