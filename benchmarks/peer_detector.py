"""The detector that all peers run: ours in River's form, one instance per series, score before learn."""

from collections.abc import Hashable
from typing import Any

from benchmarks.load import INTERVAL_SECONDS
from detectors.series.innovation import Innovation

ALARM = 0.5
"""One in a million."""


class Scorer:
    """Scores readings of many series and counts alarms."""

    def __init__(self) -> None:
        """Know no series yet."""
        self._detectors: dict[str, Innovation] = {}
        self.alarms = 0

    def take(self, series: str, at: float, value: float) -> None:
        """Score and learn a reading; `at` in Unix seconds."""
        detector = self._detectors.get(series)
        if detector is None:
            detector = self._detectors[series] = Innovation(interval_seconds=INTERVAL_SECONDS)
        moment: dict[Hashable, Any] = {"at": at}
        self.alarms += detector.score_one(moment, value) >= ALARM
        detector.learn_one(moment, value)
