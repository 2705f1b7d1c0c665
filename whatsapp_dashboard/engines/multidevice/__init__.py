"""Real numbers by WhatsApp's own multi-device protocol, in small supervised host processes (ENG-2)."""
