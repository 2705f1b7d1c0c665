"""Says which key is missing or wrong, and what to do (SEC-7, SEC-8)."""

from __future__ import annotations

from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import KEY_FILE, CryptoError, SecretBox, find_keys, key_id, key_id_of


def explain(settings: Settings, secret: tuple[str, str], keys: list[bytes]) -> str:
    """One text about a sealed value that ``keys``, those of the settings, do not open."""
    path = settings.data_dir.resolve() / KEY_FILE
    wanted = key_id_of(secret[0])
    ending = (
        " Nothing was changed. If that key is lost for good, ./run forget-secrets removes what cannot be read; numbers are then linked"
        " anew."
    )
    if settings.encryption_key:
        if _file_opens(settings, secret):
            return (
                f"ENCRYPTION_KEY is not the key of this database, but the key file {path} is. Start without ENCRYPTION_KEY; to change the"
                " key, use ./run rotate-key. Nothing was changed."
            )
        return f"ENCRYPTION_KEY is not the key of this database ({_ids(keys)}, not {wanted}). Set it to the one in use before.{ending}"
    if not keys:
        return (
            f"The key file {path} is missing, and the database holds secrets encrypted with it (key {wanted}). Put it back, for instance"
            f" from a backup, or set ENCRYPTION_KEY when that was used.{ending}"
        )
    return (
        f"The key file {path} is not the key of this database ({_ids(keys)}, not {wanted}). Put back the one in use before, for instance"
        f" from a backup, or set ENCRYPTION_KEY when that was used.{ending}"
    )


def _ids(keys: list[bytes]) -> str:
    return "key " + " and ".join(key_id(key) for key in keys) if keys else "the key was changed"


def _file_opens(settings: Settings, secret: tuple[str, str]) -> bool:
    try:
        keys = find_keys(None, settings.data_dir / KEY_FILE)
        if keys:
            SecretBox(*keys).open(*secret)
    except CryptoError:
        return False
    return bool(keys)
