"""A data file that is not in force yet: read and checked as if it were, with every fault at once."""

import tomllib
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import structs

from config.data import FILES, Data, Duty, check_data
from config.ownership import Claim, strangers
from config.policies import Policy, check_policies
from domain.decode import convert
from domain.errors import Fault, InvalidInput

Key = Literal["duty", "policy"]


def read_candidate(key: Key, text: str, data: Data, areas: Sequence[str]) -> Data:
    """Read duties or policies as TOML in place of those in force; InvalidInput with every fault.

    Duties are proved over the areas: each category has one owner in each, as `fenghuo check` does.
    """
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput([Fault(FILES[key], f"不是 TOML 文件：{error}。 is not TOML: {error}")]) from error
    faults = [Fault(name, f"is not known here; write [[{key}]]") for name in values.keys() - {key}]
    entries = values.get(key, [])
    if not entries:
        faults.append(Fault(key, f"没有 [[{key}]]。 there is no [[{key}]]"))
    if faults:
        raise InvalidInput(faults)
    if key == "duty":
        after = structs.replace(data, duties=convert(tuple[Duty, ...], entries))
        claims = [Claim(category=duty.category, area=duty.area) for duty in after.duties]
        faults += strangers(claims, areas) if areas else ()
    else:
        after = structs.replace(data, policies=convert(tuple[Policy, ...], entries))
        faults += check_policies(after.policies)
    faults += check_data(after)
    if faults:
        raise InvalidInput(faults)
    return after
