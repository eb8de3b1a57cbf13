"""An official warning as findings: evidence in each area that it names, until it expires."""

from domain.findings import BrokenLimit, Finding, FindingState, SubjectKind
from domain.identity import finding_id
from domain.inputs import Bulletin
from domain.levels import Feed

DETECTOR, DETECTOR_VERSION = "bulletin", 1


def bulletin_findings(bulletin: Bulletin) -> list[Finding]:
    """Make one finding for each area; its `limit` carries the bulletin's level, and as basis its headline."""
    return [
        Finding(
            id=finding_id(DETECTOR, DETECTOR_VERSION, f"{bulletin.id}/{area}", bulletin.effective_at),
            detector=DETECTOR,
            detector_version=DETECTOR_VERSION,
            category=bulletin.category,
            subject_kind=SubjectKind.BULLETIN,
            subject=bulletin.own_id,
            area=area,
            feed=Feed.BULLETINS,
            state=FindingState.CONFIRMED,
            observed_at=bulletin.effective_at,
            received_at=bulletin.received_at,
            period_start=bulletin.effective_at,
            period_end=bulletin.expires_at,
            limit=BrokenLimit(level=bulletin.level, value=float(bulletin.level), basis=bulletin.headline),
            inputs=(bulletin.id,),
        )
        for area in bulletin.areas
    ]
