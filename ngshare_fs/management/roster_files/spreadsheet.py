"""What spreadsheets make of user names, of names and of times, before they reach a CSV file."""

import re

_AS_TEXT = "format the column as text before the user names are put into it, and export the file again"
_FORMULA = re.compile("=")
_ERROR_VALUE = re.compile("#(?:NAME\\?|N/A|NV|REF!|BEZUG!|VALUE!|WERT!|DIV/0!|NULL!|NUM!|ZAHL!|SPILL!|#+)")
# 123457000000 as Excel shows it in a narrow column: the other digits are gone.
_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?[eE][+-][0-9]+")
_DECIMAL = re.compile(r"[0-9]+[.,]0+")
_DATE = re.compile(r"[0-9]{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)")
# 18.11.2026 12:00 or 11/18/26, by where the spreadsheet was; 46344,5 as it counts days.
_TIME = re.compile(r"[0-9]{1,2}[./-] ?[0-9]{1,2}[./-] ?[0-9]{2,4}(?:[ ,T].*)?|[0-9]{5}(?:[.,][0-9]+)?")


def damage_to_time(time: str) -> str | None:
    """What a spreadsheet did to a time, which nobody can undo: 11/12 may be a day in November or in December."""
    if _TIME.fullmatch(time):
        return f"{time} is a spreadsheet's way to write a time: format the column as text, and write 2026-11-15 23:59"
    return None


def damage_to_user_name(user: str) -> str | None:
    """What a spreadsheet did to a user name, and what to do about it; None where it did nothing that can be seen."""
    if user.startswith("'"):
        return f"{user} begins with the ' by which a spreadsheet marks text: remove it, or {_AS_TEXT}"
    if _SCIENTIFIC.fullmatch(user):
        return f"{user} is a number that a spreadsheet has rounded: {_AS_TEXT}"
    if _DECIMAL.fullmatch(user):
        return f"{user} is a number to which a spreadsheet or a program has given decimals: {_AS_TEXT}"
    if _DATE.fullmatch(user):
        return f"{user} is a date that a spreadsheet has made of a user name: {_AS_TEXT}"
    return None


def damage(value: str) -> str | None:
    """The same for any value."""
    if _FORMULA.match(value):
        return f"{value} is a formula: export its value, without = (and quotes)"
    if _ERROR_VALUE.fullmatch(value):
        return f"{value} stands there for an error in the spreadsheet: mend the cell, and export the file again"
    return None
