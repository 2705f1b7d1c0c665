"""How connections are taken, limited and given up, so that nobody outside can keep others out (API-4)."""
