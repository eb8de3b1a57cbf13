"""A page in words for people's chats: a template filled in, cut to what the service takes, counted as the service counts."""

from responders.cases import Message

LEVELS = {1: "蓝色", 2: "黄色", 3: "橙色", 4: "红色"}
GRADES = {1: "Ⅰ", 2: "Ⅱ", 3: "Ⅲ", 4: "Ⅳ"}
DRILL = "【演练】"
ELLIPSIS = "…"


def word(template: str, message: Message, most_bytes: int) -> str:
    """Fill in a template (fields of `config.chats.FIELDS`) in at most so many bytes of UTF-8.

    What is too long is cut in the alert's own sentences, which end in … then: who is meant and what to do stays. A template
    that is too long without any sentence is cut at its end.
    """
    fields = {
        "mark": DRILL if message.drill else "",
        "level": LEVELS[message.level],
        "grade": GRADES[message.grade],
        "title": message.title,
        "recipient": message.recipient,
        "text": "",
        "english": "",
    }
    room = most_bytes - _size(template.format(**fields))
    for name, sentence in (("text", message.zh), ("english", message.en)):
        times = template.count(f"{{{name}}}")
        if times:
            fields[name] = cut(sentence, max(room, 0) // times)
            room -= times * _size(fields[name])
    return cut(template.format(**fields), most_bytes)


def cut(text: str, most_bytes: int) -> str:
    """Cut a text to so many bytes of UTF-8, between characters, with … at its end where it was cut."""
    if _size(text) <= most_bytes:
        return text
    kept = text.encode()[: max(most_bytes - _size(ELLIPSIS), 0)].decode(errors="ignore")
    return kept + ELLIPSIS if most_bytes >= _size(ELLIPSIS) else ""


def _size(text: str) -> int:
    return len(text.encode())
