"""The tables. Importing this package registers every one of them with ``metadata``."""

from whatsapp_dashboard.models.account import Account, SessionCredential, SessionLease
from whatsapp_dashboard.models.base import metadata
from whatsapp_dashboard.models.conversation import Contact, Conversation, Note
from whatsapp_dashboard.models.event import Event, Setting
from whatsapp_dashboard.models.message import Media, Message, MessageAction, ParkedEvent, Reply
from whatsapp_dashboard.models.workspace import LoginAttempt, LoginSession, Operator, Workspace

__all__ = [
    "Account",
    "Contact",
    "Conversation",
    "Event",
    "LoginAttempt",
    "LoginSession",
    "Media",
    "Message",
    "MessageAction",
    "Note",
    "Operator",
    "ParkedEvent",
    "Reply",
    "SessionCredential",
    "SessionLease",
    "Setting",
    "Workspace",
    "metadata",
]
