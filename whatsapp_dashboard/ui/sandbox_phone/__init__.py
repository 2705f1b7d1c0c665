"""The Sandbox phone page (ENG-5)."""
