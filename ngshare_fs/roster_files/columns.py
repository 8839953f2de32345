"""Which column of a CSV file is which: as it is called here, in other systems, or as somebody said."""

import csv
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ngshare_fs.formats.sentence import sentence

USER = "student_id"
NAMES = ("first_name", "last_name", "email")
# Other programs' headings, without accents, capitals, spaces and punctuation: `E-Mail`, `SIS Login ID` (Canvas),
# `Email address` (Moodle), `Anmeldename` (Moodle, ILIAS), `Username` (Blackboard), `id` (`nbgrader db student import`).
_HEADINGS = {
    USER: (
        "studentid", "id", "username", "user", "userid", "login", "loginid", "loginname", "sisloginid", "userlogin",
        "netid", "uid", "benutzername", "benutzerkennung", "nutzername", "nutzerkennung", "anmeldename", "kennung",
        "identifiant", "nomdutilisateur", "nombredeusuario", "nomeutente", "gebruikersnaam",
    ),
    "first_name": (
        "firstname", "givenname", "givennames", "forename", "vorname", "vornamen", "prenom", "nombre", "nome",
        "voornaam",
    ),
    "last_name": (
        "lastname", "surname", "familyname", "nachname", "familienname", "nomdefamille", "nom", "apellido", "apellidos",
        "cognome", "achternaam",
    ),
    "email": (
        "email", "emailaddress", "emailadresse", "mail", "mailaddress", "mailadresse", "adressemail", "adresseemail",
        "courriel", "correo", "correoelectronico",
    ),
}  # fmt: skip
USER_HEADINGS = _HEADINGS[USER]
# Exports that have a user name and a number: Canvas's ID and Blackboard's Student ID are no user names there.
_NUMBER_BESIDE = {"SIS Login ID": "ID", "Username": "Student ID"}


@dataclass(frozen=True)
class Kind:
    """What the files of one kind have.

    Args:
        headings: what others call each column, without accents, capitals, spaces and punctuation; by our names, of
            which the first one is that of the user names, which have to be there.
    """

    headings: Mapping[str, Sequence[str]]

    @property
    def columns(self) -> Sequence[str]:
        """Our names, in the order of the files that we write ourselves."""
        return tuple(self.headings)

    @property
    def header(self) -> str:
        """The first row of such a file."""
        return ",".join(self.headings)

    def meaning(self, heading: str) -> str | None:
        """Which column somebody else's heading is; None where it is none."""
        plain = _plain(heading)
        return next((column for column, headings in self.headings.items() if plain in headings), None)


ROSTER = Kind(_HEADINGS)


class WrongColumns(Exception):
    """The columns that are needed cannot be told.

    Args:
        problem: why.
        advice: what a command has to be told.
    """

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem + advice)
        self.problem = problem


@dataclass(frozen=True)
class Columns:
    """Where what is needed stands.

    Args:
        places: of the columns that are there, by our name: the position.
        headings: what the first row says.
    """

    places: Mapping[str, int]
    headings: Sequence[str]

    def taken(self) -> Sequence[str]:
        """For people: the columns that are not called as they are here."""
        return [
            sentence("{column} is the column {heading!r}", column=column, heading=self.headings[place])
            for column, place in self.places.items()
            if self.headings[place] != column
        ]

    def unknown(self) -> list[str]:
        """The headings that mean nothing here."""
        used = set(self.places.values())
        return [heading for place, heading in enumerate(self.headings) if heading and place not in used]


def mapping_in(texts: Sequence[str], kind: Kind = ROSTER) -> dict[str, str]:
    """What `--columns student_id=Matrikelnummer,last_name=Name` says: headings by our names.

    Args:
        texts: the values of the option; a heading that has a comma is quoted, as in CSV.
        kind: of the file.

    Raises:
        WrongColumns: that is not how it is written.
    """
    said: dict[str, str] = {}
    for text in texts:
        for part in next(csv.reader([text], skipinitialspace=True), []):
            column, equals, heading = (piece.strip() for piece in part.partition("="))
            if not equals or column not in kind.headings or not heading:
                user, *others = kind.columns
                raise WrongColumns(
                    f"--columns {text}: write it as --columns {user}=HEADING,{others[1]}=HEADING; the names before the "
                    f"= are {', '.join(kind.columns)}"
                )
            if column in said:
                raise WrongColumns(f"--columns says twice which column is the {column}")
            said[column] = heading
    return said


def find(headings: Sequence[str], said: Mapping[str, str], kind: Kind = ROSTER) -> Columns:
    """Which column is which.

    Args:
        headings: the first row.
        said: headings by our names, as somebody said; these count before anything else.
        kind: of the file.

    Raises:
        WrongColumns: the user names are not there, or two columns could be the same.
    """
    places = {column: _place_said(headings, column, heading) for column, heading in said.items()}
    user, *_ = kind.columns
    for column in kind.columns:
        if column not in said:
            free = [place for place in range(len(headings)) if place not in places.values()]
            found = _candidates(headings, free, column, kind)
            if len(found) > 1:
                raise _ambiguous(headings, found, column)
            if found:
                places[column] = found[0]
    if user not in places:
        raise WrongColumns(
            sentence(
                "there is no column {user} or id; the first row names the columns: {columns}",
                user=user,
                columns=kind.header,
            ),
            f". Or say which column has the user names: --columns {user}=HEADING",
        )
    return Columns({column: places[column] for column in kind.columns if column in places}, headings)


def _place_said(headings: Sequence[str], column: str, heading: str) -> int:
    found = [place for place, each in enumerate(headings) if each == heading]
    found = found or [place for place, each in enumerate(headings) if _plain(each) == _plain(heading)]
    if len(found) == 1:
        return found[0]
    problem = f"there are {len(found)} columns" if found else "there is no column"
    there = ", ".join(repr(each) for each in headings if each)
    raise WrongColumns(f"{problem} {heading!r}, which --columns has for {column}; there are: {there}")


def _candidates(headings: Sequence[str], free: Sequence[int], column: str, kind: Kind) -> list[int]:
    literal = [place for place in free if headings[place] == column]
    if literal:
        return literal
    found = [place for place in free if kind.meaning(headings[place]) == column]
    numbers = {_NUMBER_BESIDE.get(headings[place]) for place in found}
    return [place for place in found if headings[place] not in numbers]


def _ambiguous(headings: Sequence[str], found: Sequence[int], column: str) -> WrongColumns:
    names = [headings[place] for place in found]
    if len(set(names)) == 1:
        return WrongColumns(sentence("there are two columns {column}", column=names[0]))
    either = " and ".join(repr(name) for name in names)
    return WrongColumns(
        sentence("the columns {columns} could all be the {column}", columns=either, column=column),
        f"; say which one is: --columns {column}={_quoted(names[0])}",
    )


def _quoted(heading: str) -> str:
    return f"'{heading}'" if " " in heading else heading


def _plain(heading: str) -> str:
    """A heading without accents, capitals, spaces and punctuation."""
    return "".join(one for one in unicodedata.normalize("NFKD", heading).casefold() if one.isalnum())
