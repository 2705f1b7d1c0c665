"""What the families of wire formats have in common: behaviours, what a request said, and what a family must be able to do."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Json = dict[str, Any]
Does = Literal["answer", "error", "empty", "refuse", "cut", "garbage", "hang", "huge", "redirect", "compressed"]


@dataclass(frozen=True)
class Behaviour:
    """What the server does with a request.

    ``answer``: ``text``, or ``data`` for a request that wants structured output. ``error``: ``status`` and ``text``. ``cut``: an answer
    that breaks off in the middle of its body. ``garbage``: not JSON. ``hang``: never answers. ``huge``: a body without end.
    """

    do: Does = "answer"
    text: str = "It opens at 9."
    data: Mapping[str, Any] = field(default_factory=dict)
    """Typed data, for a request that asks for it."""
    status: int = 500
    retry_after: str = ""
    """A Retry-After header."""
    code: str = ""
    """The provider's own name of the error."""
    seconds: float = 0.0
    """How long the answer takes."""
    together: int = 0
    """It answers nobody before so many have asked and wait."""
    finish: Literal["stop", "length"] = "stop"
    thinking: str = ""
    """What the model thought first, where the format has a place for it."""
    tokens: tuple[int, int] = (12, 7)
    """In and out."""
    cost: float | None = None
    """In US dollars, where the provider says it (OpenRouter)."""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Behaviour:
        """From JSON, as the control route gets it."""
        values = dict(given)
        if "tokens" in values:
            values["tokens"] = tuple(values["tokens"])
        return cls(**values)


@dataclass(frozen=True)
class Said:
    """What a request asked for, whatever its format."""

    model: str = ""
    system: str = ""
    turns: tuple[tuple[str, str], ...] = ()
    """Role ("user" or "assistant") and text, oldest first."""
    files: tuple[tuple[str, str], ...] = ()
    """Media type and base64, in order."""
    temperature: float | None = None
    max_tokens: int | None = None
    tools: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    kind: str
    route: str
    """"chat", "models", or what else the family has."""
    at: float
    method: str
    path: str
    """With the query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    said: Said


@dataclass(frozen=True)
class Reply:
    """An answer with its status and headers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Wire(ABC):
    """One family of formats. Recorded from the providers' public documentation."""

    key_header: ClassVar[str] = "authorization"
    """Where the key is."""

    @abstractmethod
    def route(self, method: str, path: str) -> str | None:
        """What is asked with this path, which begins after the kind's prefix; None: nothing (404)."""

    @abstractmethod
    def said(self, path: str, body: Json) -> Said:
        """What a chat request asked for."""

    @abstractmethod
    def answer(self, path: str, body: Json, said: Said, does: Behaviour) -> Json:
        """A complete answer."""

    @abstractmethod
    def error(self, status: int, words: str, code: str) -> Json | list[Json]:
        """The body of an error."""

    @abstractmethod
    def models(self, path: str) -> Any:
        """The list of models."""

    def empty(self, path: str, body: Json, said: Said, does: Behaviour) -> Json:
        """An answer without a word."""
        return self.answer(path, body, said, Behaviour(text="", tokens=does.tokens, finish=does.finish))

    @abstractmethod
    def refuse(self, path: str, body: Json, said: Said, does: Behaviour) -> Reply:
        """The model, or a filter, declines."""

    def other(self, route: str, path: str, body: Json, does: Behaviour) -> Reply | None:
        """Routes of the family beside chat and models; None: not one of them."""
        return None


def from_data_url(url: str) -> tuple[str, str]:
    """Media type and base64 of a data: URL."""
    head, _, data = url.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), data


def texts_and_files(content: Any) -> tuple[str, list[tuple[str, str]]]:
    """The content of a message in OpenAI's form: a text, or parts."""
    if isinstance(content, str) or content is None:
        return content or "", []
    texts, files = [], []
    for part in content:
        if part["type"] == "text":
            texts.append(part["text"])
        elif part["type"] == "image_url":
            url = part["image_url"]
            files.append(from_data_url(url if isinstance(url, str) else url["url"]))
        elif part["type"] == "input_audio":
            files.append((f"audio/{part['input_audio']['format']}", part["input_audio"]["data"]))
    return "\n".join(texts), files


def chat_messages(messages: Sequence[Json]) -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
    """System text, turns and files of messages in OpenAI's form."""
    system, turns, files = [], [], []
    for message in messages:
        text, found = texts_and_files(message.get("content"))
        files += found
        if message["role"] in ("system", "developer"):
            system.append(text)
        elif message["role"] in ("user", "assistant"):
            turns.append((message["role"], text))
    return "\n\n".join(system), turns, files


def as_json(data: Mapping[str, Any]) -> str:
    """Data as a model writes it."""
    return json.dumps(dict(data))
