"""The sandbox engine (ENG-5): a world that plays WhatsApp's servers and the phones, and the engine that links to it."""
