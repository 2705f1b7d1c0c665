"""Files of incoming messages are fetched, checked and kept (MSG-9)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import MovableClock
from tests.support.pipeline import Pipeline, pipeline
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.messages import Content, MediaRef, MessageType
from whatsapp_dashboard.errors import NotFound, Retryable
from whatsapp_dashboard.messages.media import safe_name
from whatsapp_dashboard.messages.media_types import choose_type, sniff
from whatsapp_dashboard.models import Media

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 64


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account."""
    async with pipeline(db, clock, tmp_path) as made:
        yield made


async def _photo(house: Pipeline, name: str, claimed: str = "image/jpeg", size: int | None = None) -> None:
    ref = MediaRef({"file": name}, claimed, size, f"{name}.jpg")
    await house.receive(content=Content(MessageType.IMAGE, "look", media=ref))


async def _in_state(house: Pipeline, state: str, clock: MovableClock | None = None) -> list[Media]:
    if clock:
        await clock.advance(60)
        house.downloads.wake()
    return await house.rows(Media, state=state)


async def test_a_received_file_is_fetched_and_shown_as_what_it_is(house: Pipeline) -> None:
    """MSG-9: the sender's claim does not count."""
    house.engine.files["cat"] = JPEG
    await _photo(house, "cat", claimed="text/html")
    (media,) = await house.until(lambda: _in_state(house, "stored"))
    assert (media.mimetype, media.size, media.filename) == ("image/jpeg", len(JPEG), "cat.jpg")
    shown = await house.store.open(house.cast.vic, media.id)
    assert shown.path.read_bytes() == JPEG
    assert shown.path.parent.name == (media.sha256 or "")[:2]
    (told,) = await house.events("message.updated")
    assert told.data["media_state"] == "stored"
    assert (await house.events("message"))[0].data["has_media"] is True


async def test_a_failed_download_is_tried_again(house: Pipeline, clock: MovableClock) -> None:
    """MSG-9: with the reason beside it meanwhile."""
    house.engine.files["cat"] = JPEG
    house.engine.failures = [Retryable("slow line"), RuntimeError("crash")]
    await _photo(house, "cat")
    await house.until(lambda: _in_state(house, "stored", clock))


async def test_a_file_that_whatsapp_lost_or_that_is_too_large_fails_with_a_reason(house: Pipeline) -> None:
    """MSG-9: the message stays."""
    await _photo(house, "lost")
    (media,) = await house.until(lambda: _in_state(house, "failed"))
    assert media.reason == "WhatsApp no longer has this file."
    with pytest.raises(NotFound):
        await house.store.open(house.cast.ana, media.id)
    await _photo(house, "huge", size=20_000_000)

    async def both() -> bool:
        return len(await _in_state(house, "failed")) == 2

    await house.until(both)
    assert "images may have 16 MiB" in (await house.rows(Media))[1].reason


async def test_downloads_wait_while_the_account_is_offline(house: Pipeline) -> None:
    """MSG-9, DUR-4: and start when it is back."""
    house.engine.files["cat"] = JPEG
    house.disconnect()
    await _photo(house, "cat")
    await house.settle()
    assert [row.attempts for row in await house.rows(Media, state="pending")] == [0]
    house.connect()
    await house.until(lambda: _in_state(house, "stored"))


@pytest.mark.parametrize(
    ("data", "name", "type"),
    [
        (JPEG, "x.html", "image/jpeg"),
        (b"%PDF-1.7\n", "x", "application/pdf"),
        (b"<script>alert(1)</script>", "x.html", "text/plain"),
        (b"<svg onload=alert(1)>", "x.svg", "text/plain"),
        (b"a,b\n1,2\n", "x.csv", "text/csv"),
        (b"\x00\x01\x02", "x.jpg", "application/octet-stream"),
    ],
)
def test_the_bytes_say_what_a_file_is(data: bytes, name: str, type: str) -> None:
    """MSG-9: nothing that a browser would run keeps its type."""
    assert sniff(data, name) == type


def test_a_file_goes_out_as_the_kind_it_is() -> None:
    """MSG-1: what is no picture, film or sound is a document."""
    kinds = [choose_type(mime) for mime in ("image/png", "video/mp4", "audio/ogg", "application/pdf", "image/tiff")]
    assert kinds == ["image", "video", "audio", "document", "document"]


def test_file_names_lose_folders_and_keep_their_ending() -> None:
    """MSG-9: a name is shown and offered, never used as a path."""
    assert safe_name("..\\..\\a/b\x00/c\u202e.txt") == "c.txt"
    assert len(safe_name("x" * 300 + ".pdf")) == 255
    assert safe_name("x" * 300 + ".pdf").endswith(".pdf")


async def test_files_nobody_needs_any_more_leave_the_disk(house: Pipeline) -> None:
    """ACC-1, MSG-9: what a deleted account left goes; what a message has, or a write is about to name, stays."""
    kept = await house.store.stage(JPEG, "kept.jpg")
    async with house.db.write() as session:
        await house.store.keep(session, house.account, kept)
    left = await house.store.put(JPEG + b"left behind")
    fresh = await house.store.put(JPEG + b"on its way")
    for sha256 in (kept.sha256, left):
        os.utime(house.store.path(sha256), (0, 0))
    assert await house.store.sweep() == 1
    assert [house.store.path(sha256).exists() for sha256 in (kept.sha256, left, fresh)] == [True, False, True]
    os.utime(house.store.path(fresh), (0, 0))
    await house.store.put(JPEG + b"on its way")
    assert await house.store.sweep() == 0, "sent again a moment ago, so a write may be about to name it"
