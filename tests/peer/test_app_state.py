"""App state as the simulated phone writes it (the real library reads it in test_owner_phone.py)."""

from __future__ import annotations

import pytest

from tests.peer.app_state import CRITICAL_BLOCK, CRITICAL_UNBLOCK_LOW, MAC_LENGTH, AppState, AppStateError, contact, mix, push_name
from whatsapp_dashboard.engines.multidevice.host.protos import server_sync_pb


def test_the_sum_does_not_depend_on_the_order() -> None:
    """Taking out what was put in gives back the sum before (ACC-7)."""
    one, two = b"\x01" * MAC_LENGTH, b"\x02" * MAC_LENGTH
    both = mix(bytes(128), [], [one, two])
    assert both == mix(mix(bytes(128), [], [two]), [], [one])
    assert mix(both, [one, two], []) == bytes(128)
    assert mix(both, [one], []) == mix(bytes(128), [], [two])


def test_contacts_and_push_name_are_read_back() -> None:
    """An entry that is set again replaces the one before; one that is removed is gone (ACC-7, MSG-10)."""
    state = AppState()
    state.change(CRITICAL_BLOCK, push_name("Ana"))
    state.change(CRITICAL_UNBLOCK_LOW, contact("15550000002", "Carla") | contact("15550000003", "Dev"), 2)
    state.change(CRITICAL_UNBLOCK_LOW, contact("15550000002", "Carla Gomez", lid="100000000000002"), 2)
    book = state.change(CRITICAL_UNBLOCK_LOW, contact("15550000003", None), 2)
    assert state.read(CRITICAL_BLOCK)[("setting_pushName",)].pushNameSetting.name == "Ana"
    entries = state.read(CRITICAL_UNBLOCK_LOW)
    assert list(entries) == [("contact", "15550000002@s.whatsapp.net")]
    assert entries["contact", "15550000002@s.whatsapp.net"].contactAction.lidJID == "100000000000002@lid"
    assert book.version == 3
    assert book.total == mix(bytes(128), [], [record.value.blob[-MAC_LENGTH:] for record in book.records.values()])
    assert state.snapshot(CRITICAL_UNBLOCK_LOW).version.version == 3


def test_a_patch_that_does_not_fit_is_refused() -> None:
    """A device that missed a version has to read it first (ACC-7)."""
    state = AppState()
    state.change(CRITICAL_BLOCK, push_name("Ana"))
    patch = server_sync_pb.SyncdPatch.FromString(state.collections[CRITICAL_BLOCK].patches[0].SerializeToString())
    with pytest.raises(AppStateError, match="version 1, not 0"):
        state.accept(CRITICAL_BLOCK, 0, patch)
    with pytest.raises(AppStateError, match="sum"):
        state.accept(CRITICAL_BLOCK, 1, patch)


def test_the_shared_key_is_the_one_that_encrypts() -> None:
    """A companion can expand it and read what the phone wrote (ACC-7)."""
    state = AppState()
    state.change(CRITICAL_BLOCK, push_name("Ana"))
    shared = state.key_share().protocolMessage.appStateSyncKeyShare.keys[0]
    reader = AppState(shared.keyID.keyID, shared.keyData.keyData)
    for patch in state.collections[CRITICAL_BLOCK].patches:
        reader.accept(CRITICAL_BLOCK, 0, server_sync_pb.SyncdPatch.FromString(patch.SerializeToString()))
    assert reader.read(CRITICAL_BLOCK)[("setting_pushName",)].pushNameSetting.name == "Ana"
