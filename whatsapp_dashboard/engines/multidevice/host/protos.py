"""neonize's generated protobuf classes, without the rest of neonize.

``import neonize`` loads its Python client with Pillow, libmagic and ffmpeg helpers (45 MB); a host needs only the classes and the
native library, so the package's own ``__init__`` is not run.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

PINNED = "0.5.2"
"""The version of neonize whose C interface ``library.py`` speaks."""


def _package() -> Path:
    """Where neonize is installed; makes its subpackages importable."""
    spec = importlib.util.find_spec("neonize")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("neonize is not installed")
    if "neonize" not in sys.modules:
        bare = ModuleType("neonize")
        bare.__path__ = list(spec.submodule_search_locations)
        bare.__spec__ = spec
        sys.modules["neonize"] = bare
    return Path(next(iter(spec.submodule_search_locations)))


FOLDER = _package()

from neonize.proto import Neonize_pb2 as neonize_pb  # noqa: E402 - only importable after the line above
from neonize.proto.waAdv import WAAdv_pb2 as adv_pb  # noqa: E402
from neonize.proto.waCert import WACert_pb2 as cert_pb  # noqa: E402
from neonize.proto.waCommon import WACommon_pb2 as common_pb  # noqa: E402
from neonize.proto.waCompanionReg import WACompanionReg_pb2 as companion_pb  # noqa: E402
from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as e2e_pb  # noqa: E402
from neonize.proto.waHistorySync import WAWebProtobufsHistorySync_pb2 as history_pb  # noqa: E402
from neonize.proto.waServerSync import WAWebProtobufsServerSync_pb2 as server_sync_pb  # noqa: E402
from neonize.proto.waSyncAction import WAWebProtobufSyncAction_pb2 as sync_action_pb  # noqa: E402
from neonize.proto.waWa6 import WAWebProtobufsWa6_pb2 as wa6_pb  # noqa: E402
from neonize.proto.waWeb import WAWebProtobufsWeb_pb2 as web_pb  # noqa: E402

__all__ = [
    "FOLDER",
    "PINNED",
    "adv_pb",
    "cert_pb",
    "common_pb",
    "companion_pb",
    "e2e_pb",
    "history_pb",
    "neonize_pb",
    "server_sync_pb",
    "sync_action_pb",
    "wa6_pb",
    "web_pb",
]
