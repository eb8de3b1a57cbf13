"""A page in words for people: a template filled in, cut to what the service takes, counted as the service counts."""

from collections.abc import Callable

from responders.cases import GIVES_WORK, Message

LEVELS = {1: "蓝色", 2: "黄色", 3: "橙色", 4: "红色"}
GRADES = {1: "Ⅰ", 2: "Ⅱ", 3: "Ⅲ", 4: "Ⅳ"}
DRILL = "【演练】"
ELLIPSIS = "…"

Count = Callable[[str], int]
"""How a service counts the length of a text; what is added never makes it shorter."""


def count_bytes(text: str) -> int:
    """Count bytes of UTF-8."""
    return len(text.encode())


def count_utf16(text: str) -> int:
    """Count units of UTF-16, as SMS in UCS-2 do: a character outside the basic plane counts two."""
    return len(text.encode("utf-16-le")) // 2


def sms_room(segments: int) -> int:
    """Tell how much goes into so many SMS in units of UTF-16: 70 in one, 67 in each of several (3GPP TS 23.040)."""
    return 70 if segments == 1 else 67 * segments


def word(template: str, message: Message, most: int, count: Count = count_bytes) -> str:
    """Fill in a template (`config.templates`) in at most so much, as the service counts.

    What is too long is cut in the alert's own sentences, which end in … then: who is meant and what to do stays. A template
    that is too long without any sentence is cut at its end.
    """
    fields = fields_of(message)
    room = most - count(template.format(**{**fields, "text": "", "english": ""}))
    for name in ("text", "english"):
        if times := template.count(f"{{{name}}}"):
            fields[name] = cut(fields[name], max(room, 0) // times, count)
            room -= times * count(fields[name])
    return cut(template.format(**fields), most, count)


def fields_of(message: Message) -> dict[str, str]:
    """Name all that a template may say of a page."""
    return {
        "mark": DRILL if message.drill else "",
        "level": LEVELS[message.level],
        "grade": GRADES[message.grade],
        "title": message.title,
        "recipient": message.recipient,
        "text": message.zh
        if not message.also
        else f"（共{len(message.also) + 1}件）{message.zh}{_others(message)}",
        "english": message.en if not message.also else f"({len(message.also) + 1} incidents) {message.en}",
        "how": how(message),
        "link": message.link,
        "token": message.link.rpartition("/")[2],
        "code": message.code,
    }


def _others(message: Message) -> str:
    """Tell a letter's other cases in a line each; how many there are is said before, where no cutting reaches it."""
    return "".join(f"\n{LEVELS[one.level]} {GRADES[one.grade]}级 {one.title}" for one in message.also)


def how(message: Message) -> str:
    """Say how to acknowledge, by what the message carries: link and code of a letter are for all that it tells of."""
    told = _how(message)
    if not message.also or not (message.code or message.link):
        return told
    return f"{told.removesuffix('。')}全部{len(message.also) + 1}件。"


def _how(message: Message) -> str:
    work = message.reason in GIVES_WORK
    answer = "确认收悉" if work else "确认接收"
    if message.code and message.link:
        return f"回复{message.code}或打开 {message.link} {answer}。"
    if message.code:
        return f"回复{message.code}{answer}。"
    if message.link:
        return f"打开 {message.link} {answer}。"
    return f"请{message.recipient}在值班台{'签收任务' if work else '确认接收'}。"


def cut(text: str, most: int, count: Count = count_bytes) -> str:
    """Cut a text to so much, between characters, with … at its end where it was cut."""
    if count(text) <= most:
        return text
    room = most - count(ELLIPSIS)
    if room < 0:
        return ""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) <= room else (low, middle - 1)
    return text[:low] + ELLIPSIS


def one_line(text: str) -> str:
    """Make one line of a text: no line break or control character may end a header or begin another."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
