"""The Sandbox phone: what operators do to the simulated WhatsApp from within the dashboard."""
