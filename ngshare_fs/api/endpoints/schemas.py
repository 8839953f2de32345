"""JSON Schemas (draft 2020-12) of what recurs in requests and answers."""

from typing import Any

Schema = dict[str, Any]

TIMESTAMP_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6} UTC$"

NAME: Schema = {"type": "string", "minLength": 1}
NAMES: Schema = {"type": "array", "items": NAME}
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
TIMESTAMP: Schema = {"type": "string", "pattern": TIMESTAMP_PATTERN}
MD5: Schema = {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}

PERSON: Schema = {
    "username": NAME,
    "first_name": TEXT_OR_NULL,
    "last_name": TEXT_OR_NULL,
    "email": TEXT_OR_NULL,
}
SUBMISSION: Schema = {"student_id": NAME, "timestamp": TIMESTAMP}
FILE_IN_ANSWER: Schema = {
    "type": "object",
    "required": ["path", "checksum"],
    "properties": {"path": TEXT, "checksum": MD5, "content": {"type": "string", "contentEncoding": "base64"}},
    "additionalProperties": False,
}
RECEIPT: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["path", "size", "checksum"],
        "properties": {"path": TEXT, "size": {"type": "integer", "minimum": 0}, "checksum": MD5},
        "additionalProperties": False,
    },
}
FILES_IN_ANSWER: Schema = {"type": "array", "items": FILE_IN_ANSWER}
FILES_IN_REQUEST: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["path", "content"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "A relative Unix path."},
            "content": {"type": "string", "contentEncoding": "base64"},
            "checksum": {**MD5, "description": "MD5 of the content."},
        },
    },
}
LATENESS: Schema = {
    "due": {"anyOf": [TIMESTAMP, {"type": "null"}], "description": "For this student."},
    "late_seconds": {
        "type": ["integer", "null"],
        "minimum": 0,
        "description": "After the due date; 0 in time and within the grace, null where nothing is due.",
    },
}
DATES: Schema = {
    "type": "object",
    "required": ["release", "due", "close", "grace_seconds", "timezone", "state", "extended", "reason"],
    "properties": {
        "release": {"anyOf": [TIMESTAMP, {"type": "null"}]},
        "due": {"anyOf": [TIMESTAMP, {"type": "null"}]},
        "close": {"anyOf": [TIMESTAMP, {"type": "null"}]},
        "grace_seconds": {"type": "integer", "minimum": 0},
        "timezone": {"type": "string", "description": "In which to show them."},
        "state": {"enum": ["scheduled", "open", "late", "closed"]},
        "extended": {"type": "boolean", "description": "Whether whoever asks has more time than others."},
        "reason": {"type": ["string", "null"], "description": "Of that."},
    },
    "additionalProperties": False,
}


def record(properties: Schema) -> Schema:
    """An object that has these properties, all of them and no others."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def or_null(schema: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(properties: Schema) -> Schema:
    """A list of such objects."""
    return {"type": "array", "items": record(properties)}
