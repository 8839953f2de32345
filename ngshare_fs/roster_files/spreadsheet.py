"""What spreadsheets make of user names, of names and of times, before they reach a CSV file."""

import re

from ngshare_fs.formats.sentence import sentence

_AS_TEXT = sentence("format the column as text before the user names are put into it, and export the file again")
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
        return sentence(
            "{time} is a spreadsheet's way to write a time: format the column as text, and write 2026-11-15 23:59",
            time=time,
        )
    return None


def damage_to_user_name(user: str) -> str | None:
    """What a spreadsheet did to a user name, and what to do about it; None where it did nothing that can be seen."""
    if user.startswith("'"):
        return sentence(
            "{user} begins with the ' by which a spreadsheet marks text: remove it, or {remedy}",
            user=user,
            remedy=_AS_TEXT,
        )
    if _SCIENTIFIC.fullmatch(user):
        return sentence("{user} is a number that a spreadsheet has rounded: {remedy}", user=user, remedy=_AS_TEXT)
    if _DECIMAL.fullmatch(user):
        return sentence(
            "{user} is a number to which a spreadsheet or a program has given decimals: {remedy}",
            user=user,
            remedy=_AS_TEXT,
        )
    if _DATE.fullmatch(user):
        return sentence(
            "{user} is a date that a spreadsheet has made of a user name: {remedy}", user=user, remedy=_AS_TEXT
        )
    return None


def damage(value: str) -> str | None:
    """The same for any value."""
    if _FORMULA.match(value):
        return sentence("{value} is a formula: export its value, without = (and quotes)", value=value)
    if _ERROR_VALUE.fullmatch(value):
        return sentence(
            "{value} stands there for an error in the spreadsheet: mend the cell, and export the file again",
            value=value,
        )
    return None
