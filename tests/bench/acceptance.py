"""What the market policy is to reach, and whether it does."""

from collections.abc import Mapping, Sequence

Row = dict[str, str | float]
ERRORS = 2  # standard errors within which a simulated figure counts as reached


def acceptance(sections: Mapping[str, Sequence[Row]]) -> list[Row]:
    """A row a promise: what, the figure, and "holds" or "does not hold". Promises of sections not run are left out."""
    rows: list[Row] = []
    for promises, section in ((_published, "published"), (_large, "large"), (_growing, "growing"), (_noisy, "noisy")):
        if section in sections:
            rows += promises(sections[section])
    return rows


def _promise(what: str, figure: float, holds: bool) -> Row:
    return {"promise": what, "figure": figure, "": "holds" if holds else "does not hold"}


def _published(rows: Sequence[Row]) -> list[Row]:
    ours, error = "simulated", "± s.e."
    errors = min((_of(row, ours) - _of(row, "social welfare published")) / _of(row, error) for row in rows)
    ahead = [
        row for row in rows if _of(row, "first trial") > _of(row, "social welfare published") + ERRORS * _of(row, error)
    ]
    above = min(
        (100 * (_of(row, "best response") / _of(row, "social welfare published") - 1) for row in ahead), default=0.0
    )
    others = min(
        _of(row, "best response") / max(_of(row, name) for name in ("naive", "product", "TU β=1")) for row in rows
    )
    return [
        _promise(
            "every cell, against social welfare: least difference in standard errors, >= -2", errors, errors >= -ERRORS
        ),
        _promise("cells where the first trial was clearly above: least gain over social welfare, %", above, above > 0),
        _promise("every cell: least gain over the best of naive, product, TU β=1, %", 100 * (others - 1), others > 1),
    ]


def _large(rows: Sequence[Row]) -> list[Row]:
    wanted = {0.0: 0.4, 0.5: 0.9}
    ours = [row for row in rows if row["policy"] == "best response" and row["λ"] in wanted]
    gains = [
        _promise(
            f"n = 1,000, λ = {row['λ']}: over TU, >= {wanted[_of(row, 'λ')]} %",
            _of(row, "over TU %"),
            _of(row, "over TU %") >= wanted[_of(row, "λ")],
        )
        for row in ours
    ]
    seconds = max(_of(row, "seconds") for row in ours)
    return [*gains, _promise("n = 1,000: a few seconds, <= 10", seconds, seconds <= 10)]


def _growing(rows: Sequence[Row]) -> list[Row]:
    largest = max(_of(row, "people") for row in rows)
    smallest = min(_of(row, "people") for row in rows)
    at = {(row["policy"], row["people"]): row for row in rows}
    ours, tu = at["best response", largest], at["tuned TU", largest]
    over_tu = 100 * (_of(ours, "matches") / _of(tu, "matches") - 1)
    growth = _of(ours, "seconds") / _of(at["best response", smallest], "seconds") / (largest / smallest)
    return [
        _promise(
            "sparse town: distinct matches over product, >= 35 %",
            _of(ours, "over product %"),
            _of(ours, "over product %") >= 35,
        ),
        _promise("sparse town: over tuned TU, >= 5 %", over_tu, over_tu >= 5),
        _promise(f"{largest:,.0f} people: seconds, <= 30", _of(ours, "seconds"), _of(ours, "seconds") <= 30),
        _promise(f"{largest:,.0f} people: peak MB, <= 1,500", _of(ours, "peak MB"), _of(ours, "peak MB") <= 1500),
        _promise("linear growth: seconds a person, largest over smallest town, <= 1.3", growth, growth <= 1.3),
    ]


def _noisy(rows: Sequence[Row]) -> list[Row]:
    """The worst of the AUCs."""
    found = []
    for noise in dict.fromkeys(row["noise"] for row in rows):
        for inbox, least in {"inv": 15.0, "log2": 5.0, "flat": -5.0}.items():
            gains = [_of(row, "hedged") for row in rows if row["noise"] == noise and row["true inbox"] == inbox]
            what = f"noise {noise}, inbox {inbox}, q = 0.5: over product, >= {least:g} %"
            found.append(_promise(what, min(gains), min(gains) >= least))
    return found


def _of(row: Row, name: str) -> float:
    return float(row[name])
