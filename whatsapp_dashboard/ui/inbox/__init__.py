"""The inbox: conversations, their threads, and everything operators do in them (MSG-7)."""
