"""The metadata of the insights of conversations: sentences, a table of all cells, and pictures."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pandas as pd

from models.ml.conversations.insights.conclusions import describe_insights
from pipelines.reports.insights import insight_plots as plots
from pipelines.reports.plots import show_figure, show_markdown, show_table


def build_insight_metadata(cells: pd.DataFrame) -> Mapping[str, float | dg.MetadataValue[Any]]:
    """Build the metadata of the frame of cells; nothing in it is of fewer than 20 people."""
    pictures = {
        "funnel": plots.plot_funnel,
        "months": plots.plot_months,
        "first_answer": plots.plot_first_answer,
        "going_on": plots.plot_going_on,
        "deciles": plots.plot_deciles,
    }
    return {
        "dagster/row_count": len(cells),
        "conclusions": show_markdown("\n".join(f"- {each}" for each in describe_insights(cells))),
        "cells": show_table(cells.assign(month=cells["month"].dt.strftime("%Y-%m"))),
        **{f"{name}_picture": show_figure(draw(cells)) for name, draw in pictures.items()},
    }
