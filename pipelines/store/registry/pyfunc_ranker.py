"""The ranker as an MLflow model: pair features in, p_like out. MLflow stores this file with those of the ranker."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext  # type: ignore[attr-defined] # re-exported when run

from models.ml.ranker.ranker_model import load_full


class RankerModel(PythonModel):
    """A model of MLflow that reads ranker.json and trees.txt from its artifact `ranker`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the ranker."""
        self.ranker = load_full(Path(os.fspath(context.artifacts["ranker"])))

    def predict(self, context: object, model_input: pd.DataFrame, params: object = None) -> pd.Series:  # noqa: ARG002
        """Predict p_like of each row of pair features, whose columns are in the order of the model's signature."""
        return pd.Series(self.ranker.predict_p_like(model_input.to_numpy(np.float32)), name="p_like")


set_model(RankerModel())
