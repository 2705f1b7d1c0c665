"""What runs in an engine host process. Nothing outside this folder may import it, or neonize (ENG-2)."""
