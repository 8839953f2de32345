"""The OpenAPI 3.1 document, made from the table of endpoints."""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from aiohttp import web

import ngshare_fs
from ngshare_fs.access.permission import Who
from ngshare_fs.api.endpoint import Argument, Endpoint
from ngshare_fs.api.endpoints.health import PATHS as HEALTH_PATHS
from ngshare_fs.api.endpoints.schemas import NAME, TEXT, Schema, record
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.api.request.form import FIELD_NAME
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal

if TYPE_CHECKING:
    from ngshare_fs.settings import Settings

PATH = "openapi.json"

# What any endpoint may answer before it knows who is asking.
_OF_IDENTITY = (
    refusals.NOT_SIGNED_IN,
    refusals.NOBODY_NAMED,
    refusals.UNKNOWN_TOKEN,
    refusals.NO_SCOPE,
    refusals.UNKNOWN_SERVICE,
    refusals.NAMED_LIKE_A_SERVICE,
    refusals.CROSS_SITE,
    refusals.HUB_DOWN,
)
# What any endpoint may answer that reads arguments and the volume.
_ALWAYS = (
    refusals.MALFORMED_URL,
    refusals.TWO_AUTHORIZATIONS,
    refusals.MALFORMED_FIELD,
    refusals.MALFORMED_TEXT,
    refusals.BROKEN_MANIFEST,
    refusals.BUSY,
    refusals.VOLUME_READ_ONLY,
    refusals.VOLUME_FAILURE,
    refusals.FAILURE,
)
_WITH_BODY = (
    refusals.MALFORMED_BODY,
    refusals.TOO_SLOW,
    refusals.TOO_LARGE,
    refusals.TOO_MUCH_AT_ONCE,
    refusals.TOO_MUCH_OF_ONE,
    refusals.VOLUME_FULL,
)
_IN_PATH = re.compile(r"\{(\w+)\}")


def add_route(application: web.Application, settings: "Settings") -> None:
    """Serve the document at `openapi.json` under the prefix."""

    @cache
    def made() -> dict[str, Any]:  # once somebody asks: it takes longer than the rest of the application
        return document(settings.prefix, settings.standalone)

    async def serve(request: web.Request) -> web.Response:
        return web.json_response(made())

    application.router.add_get(settings.prefix + PATH, serve)


def document(prefix: str, standalone: bool) -> dict[str, Any]:
    """The document.

    Args:
        prefix: under which everything is.
        standalone: whether the user is named by a parameter; otherwise a token of the hub's names them.
    """
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault("/" + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, standalone)
    for path in HEALTH_PATHS:
        paths["/" + path] = {"get": _health(path), "head": _health_by_head(path)}
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "ngshare_fs",
            "version": ngshare_fs.__version__,
            "description": "The exchange of nbgrader: releases, submissions and feedback over HTTP.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": prefix.rstrip("/") or "/"}],
        "paths": paths,
        "components": {"schemas": {"Refusal": _REFUSAL}},
    }
    if not standalone:
        scheme = {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`token TOKEN`"}
        made["components"]["securitySchemes"] = {"hub": scheme}
        made["security"] = [{"hub": []}]
    return made


_REFUSAL: Schema = {
    "type": "object",
    "required": ["success", "message"],
    "properties": {
        "success": {"const": False},
        "message": TEXT,
        refusals.MAX_FILES: {"type": "integer", "description": "So many files are allowed, and these are more."},
        refusals.MAX_REQUEST: {"type": "integer", "description": "So many bytes are allowed, and this is more."},
    },
    "additionalProperties": False,
}


def _operation(endpoint: Endpoint, standalone: bool) -> dict[str, Any]:
    named = [{"name": name, "in": "path", "required": True, "schema": NAME} for name in _IN_PATH.findall(endpoint.path)]
    has_body = endpoint.method in ("PATCH", "POST", "PUT")
    arguments = list(endpoint.arguments)
    if standalone:
        who = Argument("user", NAME, "Who is asking (stand-alone mode only).", required=not endpoint.is_page)
        arguments.insert(0, who)
    in_query = arguments[:1] if standalone and has_body else arguments if not has_body else []
    in_body = [argument for argument in endpoint.arguments if has_body]
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.method.lower()}_{'_'.join(re.findall(r'[A-Za-z0-9]+', endpoint.path))}",
        "summary": endpoint.summary,
        "parameters": [*named, *(_query_parameter(argument) for argument in in_query)],
        "responses": _responses(endpoint, has_body),
    }
    if in_body:
        operation["requestBody"] = _body(in_body)
    return operation


def _query_parameter(argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "in": "query",
        "required": argument.required,
        "description": argument.description,
        "schema": argument.schema,
    }


def _body(arguments: list[Argument]) -> dict[str, Any]:
    properties = {}
    for argument in arguments:
        schema = dict(argument.schema)
        if argument.is_json:
            schema = {
                "type": "string",
                "minLength": 2,
                "contentMediaType": "application/json",
                "contentSchema": argument.schema,
            }
        properties[argument.name] = {**schema, "description": argument.description}
    form = {
        "type": "object",
        "required": [argument.name for argument in arguments if argument.required],
        "properties": properties,
        # Other fields are ignored.
        "propertyNames": {"pattern": f"^{FIELD_NAME.pattern}$"},
    }
    required = bool(form["required"])
    kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
    return {"required": required, "content": {kind: {"schema": form} for kind in kinds}}


def _responses(endpoint: Endpoint, has_body: bool) -> dict[str, Any]:
    success: Schema = {
        "type": "object",
        "required": ["success", *endpoint.answer],
        "properties": {"success": {"const": True}, **endpoint.answer, **endpoint.at_times},
        "additionalProperties": False,
    }
    content: dict[str, Any] = {"application/x-ndjson" if endpoint.in_lines else "application/json": {"schema": success}}
    if endpoint.is_page:
        content["text/html"] = {"schema": TEXT}
    done = "A line for each" if endpoint.in_lines else "Done"
    responses: dict[str, Any] = {"200": {"description": done, "content": content}}
    if endpoint.tagged:
        responses["304"] = {"description": "As the client has it, which sent its `ETag` in `If-None-Match`"}
    by_status: dict[int, list[str]] = {}
    for refusal in refusals_of(endpoint, has_body):
        by_status.setdefault(refusal.status, []).append(refusal.message)
    for status, messages in sorted(by_status.items()):
        responses[str(status)] = {
            "description": " · ".join(dict.fromkeys(messages)),
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        }
    return responses


def refusals_of(endpoint: Endpoint, has_body: bool) -> list[Refusal]:
    """Everything that an endpoint may refuse with."""
    found: list[Refusal] = [*_OF_IDENTITY]
    if endpoint.who is not Who.ANYONE:
        found.append(refusals.PERMISSION_DENIED)
    if "{course}" in endpoint.path and not endpoint.new_course:
        found.append(refusals.COURSE_NOT_FOUND)
    if "{assignment}" in endpoint.path and not endpoint.new_assignment:
        found.append(refusals.ASSIGNMENT_NOT_FOUND)
    if endpoint.of_student:
        found.append(refusals.STUDENT_NOT_FOUND)
    found += endpoint.refusals
    found += _ALWAYS
    if has_body:
        found += _WITH_BODY
    if "files" in endpoint.answer:
        found.append(refusals.DAMAGED)
    return found


def _health_by_head(path: str) -> dict[str, Any]:
    answered = _health(path)
    responses = {status: {"description": said["description"]} for status, said in answered["responses"].items()}
    return {**answered, "operationId": f"head-{path}", "responses": responses}


def _health(path: str) -> dict[str, Any]:
    alive: Schema = {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}}
    summary = "Whether the server is alive"
    if path == "readyz":
        alive = record(
            {"success": {"const": True}, "volume": {**TEXT, "description": "Tells volumes from each other."}}
        )
    responses: dict[str, Any] = {
        "200": {"description": "Yes", "content": {"application/json": {"schema": alive}}},
    }
    if path == "readyz":
        summary = "Whether the volume can be read and written"
        responses["503"] = {
            "description": "No, and why",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        }
    return {"operationId": path, "summary": summary, "security": [], "responses": responses}
