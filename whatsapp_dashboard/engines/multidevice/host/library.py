"""neonize's native library (whatsmeow) through its C interface: what a session needs of it, and no more (ENG-2).

The library's own Python client is not used: it hands events to an event loop after WhatsApp was told that they arrived. Here each
event is given to ``on_event`` on the library's thread before the next one is taken, so that it can be written down first.

Faults of neonize 0.5.2 this file works around: its maps of clients are not synchronised, so starts and stops are made one at a
time; a call for a client that is not there ends the process, so no call is made before the first sign of life or after a stop.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from google.protobuf.message import Message

from whatsapp_dashboard.engines.multidevice.host.drain import DRAIN_SECONDS, Drain
from whatsapp_dashboard.engines.multidevice.host.protos import FOLDER, PINNED, companion_pb, neonize_pb
from whatsapp_dashboard.errors import Unavailable

M = TypeVar("M", bound=Message)

SETTLE_SECONDS = 0.3
"""A start has passed the unsynchronised part when it first calls back, or after this long."""
CALL_SECONDS = 7.0
"""How long a stop waits for calls that are under way; whatsmeow gives up a send about 5 s after a disconnect."""
HANG_SECONDS = 3.0
"""The library leaves a connection and ends within milliseconds; when either takes so long, it waits for a connection that hangs."""


class EventCode:
    """The library's numbers for the events we subscribe to."""

    QR = 1
    PAIR_STATUS = 2
    CONNECTED = 3
    KEEPALIVE_TIMEOUT = 4
    KEEPALIVE_RESTORED = 5
    LOGGED_OUT = 6
    STREAM_REPLACED = 7
    TEMPORARY_BAN = 8
    CONNECT_FAILURE = 9
    CLIENT_OUTDATED = 10
    STREAM_ERROR = 11
    DISCONNECTED = 12
    HISTORY_SYNC = 13
    MESSAGE = 17
    RECEIPT = 18
    GROUP_JOINED = 21
    GROUP_INFO = 22
    OFFLINE_SYNC_COMPLETED = 27
    CALL_OFFER = 36
    CALL_OFFER_NOTICE = 40
    UNDECRYPTABLE = 44


SUBSCRIBED = bytes(sorted(value for name, value in vars(EventCode).items() if not name.startswith("_")))


class LibraryError(Exception):
    """The library refused a call; the text is its own."""


class _Bytes(ctypes.Structure):
    _fields_ = [("ptr", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class _Proxy(ctypes.Structure):
    _fields_ = [
        ("address", ctypes.c_char_p),
        ("no_websocket", ctypes.c_bool),
        ("only_login", ctypes.c_bool),
        ("no_media", ctypes.c_bool),
    ]


_ON_TEXT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
_ON_EVENT = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
_ON_LOG = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)
_TEXT, _BYTES, _INT, _BOOL = ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_bool

_GIVE_BYTES: dict[str, list[Any]] = {
    "SendMessage": [_TEXT, _BYTES, _INT, _BYTES, _INT],
    "Upload": [_TEXT, _BYTES, _INT, _INT],
    "DownloadAny": [_TEXT, _BYTES, _INT],
    "IsOnWhatsApp": [_TEXT, _TEXT],
    "GetLIDFromPN": [_TEXT, _BYTES, _INT],
    "GetPNFromLID": [_TEXT, _BYTES, _INT],
    "GetGroupInfo": [_TEXT, _BYTES, _INT],
    "GetMe": [_TEXT],
    "GetAllContacts": [_TEXT],
    "PairPhone": [_TEXT, _BYTES, _INT],
    "DecryptPollVote": [_TEXT, _BYTES, _INT],
}
_GIVE_TEXT: dict[str, list[Any]] = {
    "Logout": [_TEXT],
    "MarkRead": [_TEXT, _TEXT, _INT, _BYTES, _INT, _BYTES, _INT, _TEXT],
    "SendChatPresence": [_TEXT, _BYTES, _INT, _INT, _INT],
    "SetPassive": [_TEXT, _BOOL],
    "SetForceActiveDeliveryReceipts": [_TEXT, _BOOL],
}


def _load() -> ctypes.CDLL:
    """Load the wheel's native library. Raises ImportError when it is not the pinned version or there is none for this machine."""
    machine = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    found = sorted(FOLDER.glob(f"neonize-*{machine}*.so")) + sorted(FOLDER.glob(f"neonize-*{machine}*.dylib"))
    if not found:
        raise ImportError(f"neonize {PINNED} has no native library for {platform.system()} on {platform.machine()}")
    library = ctypes.CDLL(str(found[0]))
    library.GetVersion.restype = ctypes.c_char_p
    version = library.GetVersion().decode()
    if version != PINNED:
        raise ImportError(f"neonize's native library is {version}, this program speaks with {PINNED}")
    for name, arguments in _GIVE_BYTES.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, ctypes.POINTER(_Bytes)
    for name, arguments in _GIVE_TEXT.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, ctypes.c_void_p
    library.Neonize.restype = ctypes.c_void_p
    library.Neonize.argtypes = [
        *(_TEXT, _TEXT, _BYTES, _INT, _INT, _TEXT),
        *(_ON_TEXT, _ON_TEXT, _ON_EVENT, _ON_LOG),
        *(_BYTES, _INT, _BYTES, _INT, _BYTES, _INT, ctypes.POINTER(_Proxy)),
    ]
    library.FreeBytesStruct.argtypes, library.FreeBytesStruct.restype = [ctypes.POINTER(_Bytes)], None
    library.FreeString.argtypes, library.FreeString.restype = [ctypes.c_void_p], None
    library.Stop.argtypes, library.Stop.restype = [_TEXT], None
    library.Disconnect.argtypes, library.Disconnect.restype = [_TEXT], None
    return library


_library = _load()
_lifecycle = threading.Lock()
"""One start or stop at a time in this process."""


def _take_text(pointer: int | None) -> str:
    if not pointer:
        return ""
    try:
        return ctypes.string_at(pointer).decode(errors="replace")
    finally:
        _library.FreeString(pointer)


def _take_bytes(pointer: Any) -> bytes:
    if not pointer:
        return b""
    try:
        held = pointer.contents
        return ctypes.string_at(held.ptr, held.size) if held.ptr and held.size else b""
    finally:
        _library.FreeBytesStruct(pointer)


class Client:
    """One linked device, or one that waits to be linked. The callbacks come on threads of the library and must return soon."""

    def __init__(
        self,
        client_id: str,
        store: str,
        *,
        device: companion_pb.DeviceProps,
        proxy: str = "",
        on_qr: Callable[[str], None],
        on_login: Callable[[str], None],
        on_event: Callable[[int, bytes], None],
        on_end: Callable[[str], None],
        on_log: Callable[[neonize_pb.LogEntry], None],
    ) -> None:
        """``client_id`` must never have been used in this process; ``store`` is the path of its SQLite file. ``on_login`` gets
        ``success``, ``timeout`` or ``err-...`` of a QR's life; ``on_end`` is called once, with the error or an empty text."""
        self._id = client_id.encode()
        self._store = store.encode()
        self._device = device.SerializeToString()
        self._proxy = proxy
        self._on_end = on_end
        self._alive = threading.Event()
        self._closing = False
        self._calls = 0
        self._idle = threading.Condition()
        self._drain = Drain()
        self._disconnected, self._drained = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"client-{client_id}", daemon=True)
        self._stopper = threading.Thread(target=self._stop, name=f"stop-{client_id}", daemon=True)

        def qr(_id: int, text: int) -> None:
            self._alive.set()
            on_qr(ctypes.string_at(text).decode())

        def login(_id: int, text: int) -> None:
            on_login(ctypes.string_at(text).decode())

        def event(_id: bytes, body: int, size: int, code: int) -> None:
            self._alive.set()
            with self._drain.taking():
                on_event(code, ctypes.string_at(body, size))

        def written(body: int, size: int) -> None:
            on_log(neonize_pb.LogEntry.FromString(ctypes.string_at(body, size)))

        # Held as long as the library may call them.
        self._callbacks = (_ON_TEXT(qr), _ON_TEXT(login), _ON_EVENT(event), _ON_LOG(written))

    def start(self) -> None:
        """Begin to connect; returns when other clients may be started."""
        with _lifecycle:
            self._thread.start()
            self._alive.wait(SETTLE_SECONDS)

    def stop(self) -> bool:
        """End the connection; every event that the library had accepted has been given to ``on_event`` when this returns.

        False when the library hangs: then the process is better replaced.
        """
        with self._idle:
            first, self._closing = not self._closing, True
        if first:
            self._stopper.start()
        self._stopper.join(HANG_SECONDS)
        if self._disconnected.is_set():
            self._drained.wait(CALL_SECONDS + DRAIN_SECONDS)
            self._stopper.join(HANG_SECONDS)
        if not self._stopper.is_alive():
            self._thread.join(1.0)
        return not self._thread.is_alive()

    def _stop(self) -> None:
        if self._alive.is_set():
            _library.Disconnect(self._id)
        self._disconnected.set()
        with self._idle:
            self._idle.wait_for(lambda: self._calls == 0, CALL_SECONDS)
        if self._alive.is_set():
            self._drain.run_dry()
        self._drained.set()
        with _lifecycle:
            _library.Stop(self._id)

    def _run(self) -> None:
        proxy = _Proxy(self._proxy.encode(), False, False, False)
        qr, login, event, written = self._callbacks
        error = _library.Neonize(
            self._store,
            self._id,
            *(b"", 0, 0, b"WARN"),
            *(qr, login, event, written),
            *(SUBSCRIBED, len(SUBSCRIBED), self._device, len(self._device), b"", 0),
            ctypes.byref(proxy) if self._proxy else None,
        )
        self._on_end(_take_text(error))

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """Something is done with this client, perhaps several calls: a stop waits for it. Raises :class:`Unavailable` after a stop."""
        with self._idle:
            if self._closing or not self._alive.is_set():
                raise Unavailable("The account is not connected.", code="offline")
            self._calls += 1
        try:
            yield
        finally:
            with self._idle:
                self._calls -= 1
                self._idle.notify_all()

    def ask(self, name: str, answer: type[M], *arguments: Any) -> M:
        """Call ``name`` and read its answer. Raises :class:`LibraryError`, and :class:`Unavailable` when the client has stopped."""
        with self.under_way():
            body = _take_bytes(getattr(_library, name)(self._id, *arguments))
        read = answer.FromString(body)
        if error := getattr(read, "Error", ""):
            raise LibraryError(error)
        return read

    def tell(self, name: str, *arguments: Any) -> None:
        """Call ``name``, which answers only with an error. Raises as :meth:`ask`."""
        with self.under_way():
            error = _take_text(getattr(_library, name)(self._id, *arguments))
        if error:
            raise LibraryError(error)


def packed(message: Message) -> tuple[bytes, int]:
    """A message as the library takes it: bytes and their number."""
    body = message.SerializeToString()
    return body, len(body)
