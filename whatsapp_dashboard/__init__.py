"""The self-hosted dashboard for WhatsApp automations."""

__version__ = "0.1.0"
