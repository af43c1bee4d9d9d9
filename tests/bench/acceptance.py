"""What the market policy is to reach, and whether it does."""

import math
from collections.abc import Mapping, Sequence

Row = dict[str, str | float]
ERRORS = 2  # standard errors within which a simulated figure counts as reached
OURS, TU = "best response", "TU β=1"


def acceptance(sections: Mapping[str, Sequence[Row]]) -> list[Row]:
    """A row a promise: what, the figure, and "holds" or "does not hold". Promises of sections not run are left out."""
    rows: list[Row] = []
    for promises, section in ((_published, "published"), (_large, "large"), (_growing, "growing"), (_noisy, "noisy")):
        if section in sections:
            rows += promises(sections[section])
    return rows


def _promise(what: str, figure: float, least: float = -math.inf, most: float = math.inf) -> Row:
    return {"promise": what, "figure": figure, "": "holds" if least <= figure <= most else "does not hold"}


def _published(rows: Sequence[Row]) -> list[Row]:
    welfare, error = "social welfare published", "± s.e."
    errors = [(_of(row, "simulated") - _of(row, welfare)) / _of(row, error) for row in rows]
    ahead = [row for row in rows if _of(row, "first trial") > _of(row, welfare) + ERRORS * _of(row, error)]
    above = min((_percent(_of(row, OURS), _of(row, welfare)) for row in ahead), default=0.0)
    others = [_percent(_of(row, OURS), max(_of(row, name) for name in ("naive", "product", TU))) for row in rows]
    return [
        _promise("every cell: least distance from social welfare, in standard errors, >= -2", min(errors), -ERRORS),
        _promise("cells where the first trial was clearly above social welfare: least gain, > 0 %", above, 1e-9),
        _promise("every cell: least gain over the best of naive, product, TU β=1, > 0 %", min(others), 1e-9),
    ]


def _large(rows: Sequence[Row]) -> list[Row]:
    ours = {_of(row, "λ"): row for row in rows if row["policy"] == OURS}
    gains = [
        _promise(f"large market, λ = {crowding}: over TU, >= {least} %", _of(ours[crowding], "over TU %"), least)
        for crowding, least in ((0.0, 0.4), (0.5, 0.9))
    ]
    return [*gains, _promise("large market: seconds, <= 10", max(_of(row, "seconds") for row in rows), most=10)]


def _growing(rows: Sequence[Row]) -> list[Row]:
    at = {(row["policy"], _of(row, "people")): row for row in rows}
    smallest, largest = min(people for _, people in at), max(people for _, people in at)
    ours = at[OURS, largest]
    growth = _of(ours, "CPU seconds") / largest / (_of(at[OURS, smallest], "CPU seconds") / smallest)
    over_tu = _percent(_of(ours, "matches"), _of(at["tuned TU", largest], "matches"))
    return [
        _promise("sparse town: distinct matches over product, >= 35 %", _of(ours, "over product %"), 35),
        _promise("sparse town: distinct matches over tuned TU, >= 5 %", over_tu, 5),
        _promise(f"{largest:,.0f} people: seconds, <= 30", _of(ours, "seconds"), most=30),
        _promise(f"{largest:,.0f} people: peak MB, <= 1,500", _of(ours, "peak MB"), most=1500),
        _promise("linear growth: CPU time a person in the largest town over the smallest, <= 1.3", growth, most=1.3),
    ]


def _noisy(rows: Sequence[Row]) -> list[Row]:
    """The worst of the AUCs."""
    found = []
    for noise in dict.fromkeys(row["noise"] for row in rows):
        for inbox, least in {"inv": 15.0, "log2": 5.0, "flat": -5.0}.items():
            gains = [_of(row, "hedged") for row in rows if row["noise"] == noise and row["true inbox"] == inbox]
            found.append(
                _promise(f"noise {noise}, inbox {inbox}, q = 0.5: over product, >= {least:g} %", min(gains), least)
            )
    return found


def _percent(value: float, reference: float) -> float:
    return 100 * (value / reference - 1)


def _of(row: Row, name: str) -> float:
    return float(row[name])
