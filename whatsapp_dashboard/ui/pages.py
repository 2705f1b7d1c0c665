"""The list of all pages, in sidebar order. A new page adds its import and its line here."""

from __future__ import annotations

from whatsapp_dashboard.ui.accounts.page import PAGE as ACCOUNTS
from whatsapp_dashboard.ui.ai_usage.page import PAGE as AI_USAGE
from whatsapp_dashboard.ui.chatbot.page import PAGE as CHATBOT
from whatsapp_dashboard.ui.credits.page import PAGE as CREDITS
from whatsapp_dashboard.ui.deliveries.page import PAGE as DELIVERIES
from whatsapp_dashboard.ui.home.page import PAGE as HOME
from whatsapp_dashboard.ui.inbox.page import PAGE as INBOX
from whatsapp_dashboard.ui.knowledge.page import PAGE as KNOWLEDGE
from whatsapp_dashboard.ui.messages.page import PAGE as MESSAGES
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.profile.page import PAGE as PROFILE
from whatsapp_dashboard.ui.sandbox_phone.page import PAGE as SANDBOX_PHONE
from whatsapp_dashboard.ui.team.page import PAGE as TEAM
from whatsapp_dashboard.ui.webhooks.page import PAGE as WEBHOOKS

PAGES: list[Page] = [
    HOME,
    INBOX,
    ACCOUNTS,
    MESSAGES,
    CHATBOT,
    KNOWLEDGE,
    AI_USAGE,
    WEBHOOKS,
    DELIVERIES,
    CREDITS,
    SANDBOX_PHONE,
    TEAM,
    PROFILE,
]
