"""Who lives in a world: the simulated contacts and the owners' phones, derived from the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

# Name, mobile prefix of the country, digits that follow, whether WhatsApp shows only a hidden identity (LID) at first.
_PEOPLE = (
    ("Carla Méndez", "346", 8, False),
    ("Dev Patel", "9198", 8, False),
    ("Aisha Bello", "234803", 7, False),
    ("Lucas Oliveira", "55119", 8, False),
    ("Emma Fischer", "49151", 8, True),
    ("Tom Baker", "447400", 6, True),
)
GROUP_NAME = "Weekend football"
_OWNERS = ("Riverside Bakery", "North Star Studio", "Green Door Books", "Harbour Cycles", "Olive & Thyme", "Bright Smile Dental")


@dataclass(frozen=True, slots=True)
class Person:
    """One contact or group as it is first put into a world."""

    id: str
    name: str
    kind: str = "person"
    phone: str | None = None
    lid: str | None = None
    jid: str | None = None
    lid_first: bool = False
    """Shown under the LID only, until the world reveals the phone number (MSG-10)."""
    members: tuple[str, ...] = field(default=())


def default_cast(seed: int) -> list[Person]:
    """Six people in several countries and one group, the same for the same seed."""
    dice = random.Random(f"cast:{seed}")  # noqa: S311 (names and numbers of a simulation)
    people = [
        Person(
            id=name.split()[0].lower(),
            name=name,
            phone=prefix + _digits(dice, count, first="6789" if prefix == "55119" else "123456789"),
            lid=_digits(dice, 14),
            lid_first=lid_first,
        )
        for name, prefix, count, lid_first in _PEOPLE
    ]
    group = Person(
        id="football",
        name=GROUP_NAME,
        kind="group",
        jid=f"1203630{_digits(dice, 11)}@g.us",
        members=("carla", "dev", "tom"),
    )
    return [*people, group]


def owner(seed: int, index: int) -> tuple[str, str, str]:
    """Phone number, LID and push name of the ``index``-th owner's phone of a world (from 0)."""
    dice = random.Random(f"owner:{seed}:{index}")  # noqa: S311
    name = _OWNERS[index % len(_OWNERS)] + (f" {index // len(_OWNERS) + 1}" if index >= len(_OWNERS) else "")
    return f"1202555{1000 + (seed * 37 + index) % 9000:04d}", _digits(dice, 14), name


def person_lid(seed: int, phone: str) -> str:
    """The LID of somebody who was not in the cast."""
    return _digits(random.Random(f"lid:{seed}:{phone}"), 14)  # noqa: S311


def _digits(dice: random.Random, count: int, first: str = "123456789") -> str:
    return dice.choice(first) + "".join(dice.choice("0123456789") for _ in range(count - 1))
