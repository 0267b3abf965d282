"""SHIM."""

from engine.objective.objective import Evaluation as Evaluation
