"""What the preview of a notebook says, by language."""

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "language": "en",
    "in": "In",
    "out": "Output",
    "error": "Error",
    "markdown": "Text",
    "raw": "Unformatted text",
    "picture": "Picture",
    "other_output": "An output that is not shown here",
    "cut": "There is more of this; download the notebook to see all of it.",
    "more_outputs": "Outputs that are not shown here",
    "more_cells": "Cells that are not shown here",
    "is_preview": "This is a preview: text and pictures alone. Nothing in it runs, and no link in it leads anywhere.",
    "notebook_too_large": "This notebook is too large to be shown here.",
    "notebook_broken": "This file cannot be shown: it is no whole notebook.",
    "file_not_shown": "Files of this kind are not shown here.",
    "download": "Download it",
}
GERMAN: Mapping[str, str] = {
    "language": "de",
    "in": "Eingabe",
    "out": "Ausgabe",
    "error": "Fehler",
    "markdown": "Text",
    "raw": "Text ohne Format",
    "picture": "Bild",
    "other_output": "Eine Ausgabe, die hier nicht gezeigt wird",
    "cut": "Das ist nicht alles; das ganze Notebook kann heruntergeladen werden.",
    "more_outputs": "Ausgaben, die hier nicht gezeigt werden",
    "more_cells": "Zellen, die hier nicht gezeigt werden",
    "is_preview": "Das ist eine Vorschau: nur Text und Bilder. Nichts darin läuft, kein Link führt irgendwohin.",
    "notebook_too_large": "Dieses Notebook ist zu groß, um hier gezeigt zu werden.",
    "notebook_broken": "Diese Datei kann nicht gezeigt werden: Sie ist kein vollständiges Notebook.",
    "file_not_shown": "Dateien dieser Art werden hier nicht gezeigt.",
    "download": "Herunterladen",
}
