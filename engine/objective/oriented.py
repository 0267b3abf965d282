"""SHIM."""

from engine.objective.objective import Views as OrientedObjective

OrientedObjective.orientations = property(lambda self: self.sides)
