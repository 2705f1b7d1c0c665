"""The contact's phone gets each file with the type and the name that open it, whatever the engine (ENG-6, MSG-1, MSG-9)."""

from __future__ import annotations

from tests.engines.harness import Arrived, Rig
from tests.support import file_samples as files
from tests.support.waiting import until
from whatsapp_dashboard.domain.file_names import full_name
from whatsapp_dashboard.domain.messages import Content, MediaFile, MessageType
from whatsapp_dashboard.messages.media_types import choose_type, type_to_send

CASES = {
    "prices.csv": (files.LATIN, ""),
    "offer": (files.DOCX, ""),
    "": (files.PDF, ""),
    "menu.md": (b"# Menu\n", "application/octet-stream"),
    "book.xlsx": (files.archive("x"), ""),
    "page.html": (b"<!doctype html><p>Hi", ""),
    "carla.vcf": ("BEGIN:VCARD\r\nFN:José\r\n".encode("latin-1"), ""),
    "song": (files.ID3, ""),
}
EXPECTED = [
    ("text/csv", "prices.csv"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "offer.docx"),
    ("application/pdf", "document.pdf"),
    ("text/markdown", "menu.md"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "book.xlsx"),
    ("text/html", "page.html"),
    ("text/vcard", "carla.vcf"),
    ("audio/mpeg", ""),
]


async def test_types_and_names_reach_the_contact(linked: Rig) -> None:
    """MSG-1: as the store makes them, a document's name too; the bytes are the same."""
    carla = await linked.harness.carla()
    for number, (name, (data, said)) in enumerate(CASES.items()):
        mimetype = type_to_send(data, name, said)
        file = MediaFile(data, mimetype, full_name(name, mimetype))
        await linked.engine.send(f"key-{number}", carla, Content(choose_type(mimetype), media=file))

    async def all_there() -> list[Arrived]:
        found = await linked.harness.arrived()
        return found if len(found) == len(CASES) else []

    arrived = await until(all_there)
    assert [one.file for one in arrived] == [data for data, _ in CASES.values()]
    told = [(one.mimetype, one.filename if one.type == MessageType.DOCUMENT else "") for one in arrived]
    assert told == EXPECTED
