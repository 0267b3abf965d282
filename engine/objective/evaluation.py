"""SHIM."""
from engine.objective.objective import Evaluation
