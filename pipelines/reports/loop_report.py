"""The report of simulated nights: a table with a row an arm, on the terminal and as metadata of the asset."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pandas as pd
from rich.table import Table

from pipelines.reports.loop_plots import PICTURES, label_arm, plot_calibration, plot_figure
from pipelines.reports.plots import round_figures, show_figure, show_table

NONE = "-"
HEADINGS = {
    "arm": "arm",
    "matches": "matches",
    "gain": "against first [95 %]",
    "with_match": "people matched",
    "views_gini": "views Gini",
    "newcomers_matched": "joiners matched",
    "likes_waiting": "likes waiting",
    "p_match_said": "p_match said",
    "p_match_seen": "and seen",
}
# In place of p_match, where what follows the matches was simulated.
FOLLOWED = {"lasting": "lasting", "meetings": "meetings"}


def summarise_arms(figures: pd.DataFrame) -> pd.DataFrame:
    """Return the last day of each arm, in order, with p_match as said and as seen over all cards of all days."""
    last = figures.groupby("arm", sort=False).tail(1).set_index("arm")
    cards = figures["cards_viewed"]
    for name in ("p_match_said", "p_match_seen"):
        known = figures[name].notna()
        sums = (figures[name] * cards)[known].groupby(figures["arm"]).sum()
        last[name] = (sums / cards[known].groupby(figures["arm"]).sum()).reindex(last.index)
    return last.reset_index()


def choose_headings(figures: pd.DataFrame) -> Mapping[str, str]:
    """Choose the columns of the table, with their headings."""
    if "lasting" not in figures:
        return HEADINGS
    return {name: heading for name, heading in HEADINGS.items() if not name.startswith("p_match")} | FOLLOWED


def build_loop_table(figures: pd.DataFrame) -> Table:
    """Build the table of the arms for the terminal."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name, heading in choose_headings(figures).items():
        left = name == "arm"
        table.add_column(heading.replace(" ", "\n", 1), justify="left" if left else "right", no_wrap=not left)
    for _, row in _format_arms(figures).iterrows():
        table.add_row(*row.str.replace(" [", "\n["))
    return table


def build_loop_metadata(figures: pd.DataFrame) -> Mapping[str, float | dg.MetadataValue[Any]]:
    """Build the metadata of a simulation: the table, pictures by day, and figures of the first arm's last day."""
    first = summarise_arms(figures).iloc[0]
    numbers = {
        name: float(first[name]) for name in (*PICTURES, "p_match_said", "p_match_seen") if pd.notna(first[name])
    }
    pictures = {f"{name}_picture": show_figure(plot_figure(figures, name)) for name in PICTURES}
    return {
        "arms": show_table(_format_arms(figures).set_axis(list(choose_headings(figures).values()), axis=1)),
        **pictures,
        "p_match_picture": show_figure(plot_calibration(figures)),
        **round_figures(numbers),
    }


def _format_arms(figures: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of the table, as text, with the columns of `choose_headings`."""
    arms = summarise_arms(figures)
    cells = {
        "arm": arms["arm"].map(label_arm),
        "gain": arms.apply(_format_gain, axis=1),
        **{name: arms[name].map(_format_count) for name in ("matches", "likes_waiting")},
        **{name: arms[name].map("{:.1%}".format) for name in ("with_match", "newcomers_matched")},
        "views_gini": arms["views_gini"].map("{:.2f}".format),
        **{name: arms[name].map("{:.3f}".format) for name in ("p_match_said", "p_match_seen")},
    }
    cells["gain"].iloc[0] = NONE
    cells |= {name: arms[name].map(_format_count) for name in FOLLOWED if name in arms}
    return pd.DataFrame(cells)[list(choose_headings(figures))].replace({"nan": NONE, "nan%": NONE})


def _format_gain(row: pd.Series) -> str:
    if pd.isna(row["gain"]):
        return NONE
    return f"{row['gain']:+.1%} [{100 * row['gain_low']:.1f}, {100 * row['gain_high']:.1f}]"


def _format_count(count: float) -> str:
    return f"{count:,.0f}"
