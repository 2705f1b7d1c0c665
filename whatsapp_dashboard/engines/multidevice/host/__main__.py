"""An engine host as a process: ``python -m whatsapp_dashboard.engines.multidevice.host --fd N``, started by the
dashboard with one end of a socket pair as file descriptor N."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys

from whatsapp_dashboard.engines.multidevice.protocol import PROXY_VARIABLE


def _main() -> None:
    parser = argparse.ArgumentParser(prog="engine host")
    parser.add_argument("--fd", type=int, required=True, help="our end of the socket pair")
    parser.add_argument("--trust", default="", help="for development: the root key of a protocol peer, in hex")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    # The parent decides when we end: a Ctrl-C at the terminal goes to it, and the end of the line tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.umask(0o077)
    # A callback of the library waits for the interpreter; the default of 5 ms is long beside the 0.1 ms that it needs.
    sys.setswitchinterval(0.0005)
    from whatsapp_dashboard.engines.multidevice.host.server import Host  # loads the library

    if given.trust:
        from whatsapp_dashboard.engines.multidevice.host.peer import trust

        trust(bytes.fromhex(given.trust))
    asyncio.run(Host(socket.socket(fileno=given.fd), os.environ.get(PROXY_VARIABLE, "")).run())


if __name__ == "__main__":
    _main()
    # The library's threads must not keep a finished host alive.
    sys.stderr.flush()
    os._exit(0)
