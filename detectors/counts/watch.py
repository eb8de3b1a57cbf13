"""Everything that judges tickets and reports of one partition, behind one door: counts, clusters, and the terms in them."""

from collections.abc import Collection, Mapping
from datetime import datetime

from detectors.counts.clusters import CellsOf, Clusters, no_cells
from detectors.counts.counts import Counts
from detectors.counts.ledger import Heard, Ledger
from detectors.words.rising import Rising
from domain.findings import Finding


class TextsWatch:
    """Counts what is heard, once each, and says what is more than usual."""

    def __init__(
        self,
        lateness_seconds: float = 86_400.0,
        scanned: Collection[str] = (),
        cells_of: CellsOf = no_cells,
    ) -> None:
        """Start empty; what is older than the bound behind the county's newest text is late and not counted.

        `scanned` names the categories of which clusters over near cells are looked for, among the cells of `cells_of`.
        """
        self.ledger = Ledger(lateness_seconds)
        self.rising = Rising(self.ledger)
        self.counts = Counts(self.ledger, self.rising.behind)
        self.clusters = Clusters(
            self.ledger, self.counts.cells, self.counts.usual, scanned, cells_of, self.rising.behind
        )

    def observe(self, heard: Heard) -> list[Finding]:
        """Count one ticket or report and say what that changes; the same id again, or a late one, says nothing."""
        if not self.ledger.admit(heard):
            return []
        rising = self.rising.observe(heard)  # first, so that counts know this one's terms
        counted = self.counts.observe(heard)
        return [*counted, *self.clusters.observe(heard), *rising]

    def advance(self, watermark: datetime, received_at: datetime) -> list[Finding]:
        """Let time pass in all counties that were seen, and clear what is over."""
        self.ledger.advance(watermark)
        return [
            finding
            for county in self.ledger.counties()
            for detector in (self.counts, self.clusters, self.rising)
            for finding in detector.clear(county, received_at)
        ]

    def dump(self) -> dict[str, bytes]:
        """Write the named pieces that changed since the last dump."""
        return {**self.ledger.dump(), **self.counts.dump(), **self.clusters.dump(), **self.rising.dump()}

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up all written pieces; InvalidInput or ValueError (msgspec's) when they are of another form."""
        for part in (self.ledger, self.counts, self.clusters, self.rising):
            part.restore(pieces)
