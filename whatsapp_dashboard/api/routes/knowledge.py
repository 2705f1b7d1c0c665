"""The knowledge base: documents, and what would be found for a question (API-3, AI-5)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.api.routes.deliveries import Cursor, Limit
from whatsapp_dashboard.errors import Invalid

router = Router(prefix="/api/knowledge", tags=["knowledge"])


class DocumentOut(BaseModel):
    """One document. `state` is pending, indexing, ready or failed with a `reason`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    kind: str
    filename: str
    url: str
    enabled: bool
    state: str
    reason: str
    size: int
    passages: int
    created_at: datetime
    updated_at: datetime
    indexed_at: datetime | None


class DocumentPageOut(BaseModel):
    """Documents, newest first."""

    items: list[DocumentOut]
    next_cursor: str
    total: int


class PartOut(BaseModel):
    """A passage of a document."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    heading: str
    text: str


class DocumentDetailOut(DocumentOut):
    """A document with its first passages, and its `text` if it was written here."""

    parts: list[PartOut]
    text: str | None


class FoundOut(BaseModel):
    """A passage that fits. Scores compare within one answer only."""

    model_config = ConfigDict(from_attributes=True)

    document_id: str
    title: str
    heading: str
    text: str
    score: float


class NewDocument(Given):
    """Either a text, or the URL where one is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"title": "Opening hours", "text": "We are open from nine to six."}]}
    )

    title: Annotated[str, Field(max_length=1_000)] = ""
    text: str | None = None
    url: Annotated[str | None, Field(max_length=10_000)] = None


class DocumentChange(Given):
    """What to change; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str | None, Field(max_length=1_000)] = None
    text: Annotated[str | None, Field(description="Of a document that was written here")] = None
    enabled: bool | None = None


@router.get("/documents")
async def list_documents(who: Who, services: Services, cursor: Cursor = "", limit: Limit = 50) -> DocumentPageOut:
    """The documents, newest first."""
    page = await services.knowledge.list_documents(who, cursor=cursor, limit=limit)
    return DocumentPageOut(items=[DocumentOut.model_validate(row) for row in page.rows], next_cursor=page.next_cursor, total=page.total)


@router.post("/documents", status_code=201)
async def add_document(given: NewDocument, who: Who, services: Services) -> DocumentOut:
    """Add a text or a URL; it is indexed in the background. The same one again is refused with 409. A URL on a private network is refused
    with the code `private_network` and the `host` an owner would have to allow (POST /api/network/allowed)."""
    if (given.text is None) == (given.url is None):
        raise Invalid("Give either a text or a url.", field="text")
    if given.url is not None:
        return DocumentOut.model_validate(await services.knowledge.add_url(who, given.url, given.title))
    return DocumentOut.model_validate(await services.knowledge.add_text(who, given.title, given.text or ""))


@router.post(
    "/documents/upload",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"title": {"type": "string"}, "file": {"type": "string", "format": "binary"}},
                    }
                }
            },
        }
    },
)
async def upload(request: Request, who: Who, services: Services) -> DocumentOut:
    """Add a file as a form: text, Markdown, CSV, HTML or PDF. It is read in the background."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Invalid("Send the file as multipart/form-data, in the field “file”.", code="file_missing", field="file")
    form = await request.form(max_files=1, max_fields=4)
    file, title = form.get("file"), form.get("title")
    if not isinstance(file, UploadFile):
        raise Invalid("The form needs a file in its field “file”.", code="file_missing", field="file")
    words = title if isinstance(title, str) else ""
    row = await services.knowledge.add_file(who, await file.read(), file.filename or "", file.content_type or "", words)
    return DocumentOut.model_validate(row)


@router.get("/search")
async def search(
    who: Who, services: Services, q: Annotated[str, Query(max_length=5_000)], limit: Annotated[int, Query(ge=1, le=20)] = 5
) -> list[FoundOut]:
    """What a bot would be given for this question, best first."""
    return [FoundOut.model_validate(passage) for passage in await services.knowledge.search(who, q, limit)]


@router.get("/documents/{document_id}")
async def get_document(document_id: str, who: Who, services: Services) -> DocumentDetailOut:
    """One document with its first passages."""
    detail = await services.knowledge.get(who, document_id)
    parts = [PartOut.model_validate(passage) for passage in detail.passages]
    return DocumentDetailOut(**DocumentOut.model_validate(detail.row).model_dump(), parts=parts, text=detail.text)


@router.patch("/documents/{document_id}")
async def change_document(document_id: str, given: DocumentChange, who: Who, services: Services) -> DocumentOut:
    """Rename a document, write its text anew, take it out of the search and back. What changed is indexed in the background."""
    row = await services.knowledge.update(who, document_id, title=given.title, text=given.text, enabled=given.enabled)
    return DocumentOut.model_validate(row)


@router.delete("/documents/{document_id}", status_code=204)
async def delete_document(document_id: str, who: Who, services: Services) -> None:
    """Delete a document with its passages."""
    await services.knowledge.delete(who, document_id)


@router.post("/documents/{document_id}/reindex")
async def reindex(document_id: str, who: Who, services: Services) -> DocumentOut:
    """Index a document again; what stands at a URL is fetched anew."""
    return DocumentOut.model_validate(await services.knowledge.reindex(who, document_id))
