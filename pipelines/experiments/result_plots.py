"""The picture of an experiment: the lift in its primary metric, night by night."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from models.experiments.design.experiment import Experiment
from models.experiments.statistics.metrics import METRICS
from pipelines.reports.plot_style import COLOURS, GREY, MARKERS, add_legend, make_axes


def plot_sequences(experiment: Experiment, sequences: pd.DataFrame) -> Figure:
    """Plot the lift of each arm in the primary metric with its interval, which holds at every night.

    Args:
        experiment: The experiment.
        sequences: The frame of `result_text.tabulate_sequences`.
    """
    label = METRICS[experiment.primary].label
    figure, axes = make_axes(f"{experiment.name}: {label}", "nights so far", "lift over the control (%)", width=8)
    own = sequences[sequences["metric"] == experiment.primary]
    for number, ((arm, design), rows) in enumerate(own.groupby(["arm", "design"], sort=False)):
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        name = str(arm) if design == "aware" else f"{arm}, naive"
        axes.plot(rows["night"], 100 * rows["lift"], color=colour, marker=marker, markersize=4, label=name)
        axes.fill_between(rows["night"], 100 * rows["low"], 100 * rows["high"], color=colour, alpha=0.12)
    axes.axhline(0, color=GREY)
    axes.axhline(100 * experiment.smallest_effect, color=GREY, linestyle=":", label="smallest effect worth knowing")
    # The first intervals are so wide that all later ones would be a line.
    last = own.groupby(["arm", "design"], sort=False).tail(1)[["low", "high"]].to_numpy(np.float64)
    reach = 200 * max(np.abs(last).max(initial=0.0), experiment.smallest_effect)
    axes.set_ylim(-reach, reach)
    add_legend(axes)
    return figure
