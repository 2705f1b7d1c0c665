"""How the AI of one account answers (AI-1), validated on every read and write."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from whatsapp_dashboard.domain.hours import Hours

DEFAULT_PROMPT = (
    "You are the friendly assistant of {{account.name}} on WhatsApp. Answer in two or three short sentences, in the language of the"
    " person who writes to you. When you do not know something, say so and offer that a person will get back to them."
)
DEFAULT_FAILURE = "Sorry, I cannot answer right now. Someone will get back to you soon."
DEFAULT_MEDIA = "I cannot open pictures or listen to voice messages here. Could you write it to me, please?"


class AiSettings(BaseModel):
    """Everything an operator may tune about the answers of one account."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(min_length=1, max_length=20_000)] = DEFAULT_PROMPT
    """What the model is told about its task; variables as in :data:`PROMPT_VARIABLES`."""
    temperature: Annotated[float, Field(ge=0, le=1)] = 0.7
    max_tokens: Annotated[int, Field(ge=1, le=8_192)] = 200
    """Length limit of one answer."""
    history_limit: Annotated[int, Field(ge=0, le=100)] = 10
    """How many earlier messages of the conversation the model sees."""
    wait_seconds: Annotated[float, Field(ge=0, le=120)] = 2.0
    """The delay before an answer. Messages that arrive within it are answered once, together."""
    longest_wait_seconds: Annotated[float, Field(ge=0, le=600)] = 20.0
    """However much more a contact writes, the first message is not put off for longer than this."""
    provider_seconds: Annotated[float, Field(ge=1, le=120)] = 20.0
    """How long one provider may take before the next one is asked (AI-3)."""
    failure_text: Annotated[str, Field(max_length=4_096)] = DEFAULT_FAILURE
    """Said once when no provider answers; may be empty."""
    media_text: Annotated[str, Field(max_length=4_096)] = DEFAULT_MEDIA
    """Said when no provider can take the picture or voice message; may be empty."""
    use_images: bool = True
    """Give pictures to models that can see."""
    use_audio: bool = True
    """Give voice messages to models that can listen."""
    use_knowledge: bool = True
    passages: Annotated[int, Field(ge=1, le=10)] = 4
    """How many passages of the knowledge base the model gets at most (AI-5)."""
    daily_answers: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Answers a day; 0 is no limit."""
    daily_cost_usd: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    """US dollars a day, as far as costs are known; 0 is no limit."""
    hours: Hours = Field(default_factory=Hours)

    @model_validator(mode="after")
    def _ordered(self) -> AiSettings:
        if self.longest_wait_seconds < self.wait_seconds:
            raise ValueError("the longest wait must not be shorter than the delay")
        return self

    @field_validator("prompt")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("write what the bot is to do, or restore the default text")
        return value

    def answer_at(self, oldest: datetime, newest: datetime) -> datetime:
        """When to answer messages the oldest and newest of which came at these times."""
        return min(newest + timedelta(seconds=self.wait_seconds), oldest + timedelta(seconds=self.longest_wait_seconds))


PROMPT_VARIABLES = {
    "account.name": "the account's name",
    "account.phone": "the account's number",
    "contact.name": "the contact's name",
    "contact.phone": "the contact's number",
    "date": "today's date in the time zone of the answering hours",
    "time": "the time there",
    "weekday": "the day of the week there",
}
"""What the prompt may name as ``{{variable}}``, and what each one is."""
