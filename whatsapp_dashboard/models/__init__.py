"""The tables. Importing this package registers every one of them with ``metadata``."""

from whatsapp_dashboard.models.account import Account, SessionCredential, SessionLease
from whatsapp_dashboard.models.ai import AiAnswer, AiCall, AiChat, AiConfig, AiProvider
from whatsapp_dashboard.models.base import metadata
from whatsapp_dashboard.models.conversation import Contact, Conversation, Note
from whatsapp_dashboard.models.credit import CreditBalance, CreditEntry, CreditHold
from whatsapp_dashboard.models.erasure import Erasure
from whatsapp_dashboard.models.event import Event, EventCursor, Setting
from whatsapp_dashboard.models.knowledge import KnowledgeDocument, KnowledgePassage
from whatsapp_dashboard.models.message import Media, Message, MessageAction, ParkedEvent, Reply, SetAsideEvent
from whatsapp_dashboard.models.request_key import RequestKey
from whatsapp_dashboard.models.webhook import Webhook, WebhookAttempt, WebhookDelivery, WebhookEvent, WebhookHour
from whatsapp_dashboard.models.workspace import AllowedNetwork, KnownAddress, LoginAttempt, LoginSession, Operator, Workspace

__all__ = [
    "Account",
    "AiAnswer",
    "AiCall",
    "AiChat",
    "AiConfig",
    "AiProvider",
    "AllowedNetwork",
    "Contact",
    "Conversation",
    "CreditBalance",
    "CreditEntry",
    "CreditHold",
    "Erasure",
    "Event",
    "EventCursor",
    "KnowledgeDocument",
    "KnowledgePassage",
    "KnownAddress",
    "LoginAttempt",
    "LoginSession",
    "Media",
    "Message",
    "MessageAction",
    "Note",
    "Operator",
    "ParkedEvent",
    "Reply",
    "RequestKey",
    "SessionCredential",
    "SessionLease",
    "SetAsideEvent",
    "Setting",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEvent",
    "WebhookHour",
    "Workspace",
    "metadata",
]
