"""The sentences of an alert, to be read out on the phone: what holds, what lies around it, what was like it before."""

from config.data import Category
from detectors.fusion.clauses import (
    LEVELS_ZH,
    SHANGHAI,
    NameOf,
    by_itself,
    finding_sentences,
    listed,
    short,
    zh_time,
)
from domain.findings import AlertChange, Explanation, Finding, Precedent
from domain.incidents import Verdict
from domain.levels import Level

MOST_CLAUSES = 3
LONGEST_ZH, LONGEST_EN = 600, 1_200
"""Characters. Three ordinary clauses take half of it; longer ones are cut, and the cut shows."""
FOUND = {
    Verdict.TRUE: ("后经研判属实", "which was found true"),
    Verdict.FALSE: ("后经研判为误报", "which was found false"),
    Verdict.DUPLICATE: ("后并入他案", "which was found a duplicate"),
    Verdict.DRILL: ("当时为演练", "which was a drill"),
    None: ("尚无研判结论", "of which nothing was decided yet"),
}


def alert_sentences(
    category: Category,
    level: Level,
    change: AlertChange,
    findings: list[Finding],
    *,
    place: str,
    name_of: NameOf = by_itself,
    explanation: Explanation | None = None,
) -> tuple[str, str]:
    """Write the Chinese and the English sentence; `findings` in order of weight, `name_of` names series and areas.

    Names stay as the registry has them, in Chinese mostly, in both.
    """
    zh_end, en_end = f"{LEVELS_ZH[level]}预警", f"{level.slug} alert"
    if change is AlertChange.CLEARED:
        zh_end, en_end = "预警已解除", "alert cleared"
    if not category.public:
        zh_end, en_end = f"{zh_end}（内部）", f"{en_end} (internal)"
    clauses = [finding_sentences(finding, name_of) for finding in findings[:MOST_CLAUSES]]
    rest = len(findings) - len(clauses)
    zh = "；".join(clause for clause, _ in clauses) + (f"；另有{rest}条证据" if rest > 0 else "")
    en = "; ".join(clause for _, clause in clauses) + (
        f"; {rest} more pieces of evidence" if rest > 0 else ""
    )
    around_zh, around_en = ("", "")
    if explanation is not None and change is not AlertChange.CLEARED:
        around_zh, around_en = explanation_sentences(explanation, name_of)
    where = short(place)
    return (
        short(f"{where}{category.zh}{zh_end}：{zh}。{around_zh}", LONGEST_ZH),
        short(f"{where}: {category.en}, {en_end}: {en}.{around_en}", LONGEST_EN),
    )


def explanation_sentences(explanation: Explanation, name_of: NameOf = by_itself) -> tuple[str, str]:
    """Write what lies around an alert, and which earlier one was like it; empty where there is nothing to say."""
    zh, en = "", ""
    if explanation.nearby:
        names_zh, names_en = listed(explanation.nearby, name_of)
        zh += (
            f"周边{names_zh}同时变动"
            + (f"，另有{explanation.quiet}处平稳" if explanation.quiet else "")
            + "。"
        )
        en += f" Around it {names_en} move along" + (
            f", {explanation.quiet} see nothing." if explanation.quiet else "."
        )
    elif explanation.quiet:
        zh += f"周边{explanation.quiet}处均平稳。"
        en += f" {explanation.quiet} around it see nothing."
    if explanation.precedent is not None:
        before_zh, before_en = _precedent(explanation.precedent, name_of)
        zh, en = zh + before_zh, en + before_en
    return zh, en


def _precedent(precedent: Precedent, name_of: NameOf) -> tuple[str, str]:
    zh, en = FOUND[precedent.verdict]
    at, place = precedent.opened_at.astimezone(SHANGHAI), short(name_of(precedent.place))
    return (
        f"最相似的是{at.year}年{zh_time(at)}{place}的{LEVELS_ZH[precedent.level]}预警，{zh}。",
        f" Most like it was a {precedent.level.slug} alert at {place} on {at:%d %b %Y %H:%M}, {en}.",
    )
