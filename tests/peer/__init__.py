"""A protocol peer on loopback: enough of WhatsApp's multi-device protocol for real client libraries to link, log in and exchange
messages that only they can read (ENG-2, ENG-6).

What it proves: that our side works with the real libraries: Noise handshake, pairing by QR and by code, prekeys, Signal sessions
between real clients (the server relays ciphertext and has no keys), receipts, offline queues, media, groups, number look-ups, history and
contacts from a simulated phone, and what clients do when the server drops, hangs, bans or replaces them. What it cannot prove: how
WhatsApp's own servers behave. Where their behaviour is not documented, the peer does what the clients' sources expect of them.
"""
