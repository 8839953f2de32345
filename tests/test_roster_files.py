"""CSV files as spreadsheets and other systems write them: understood, or refused with the row and the reason."""

from pathlib import Path

import pytest

from ngshare_fs.roster_files.columns import WrongColumns, mapping_in
from ngshare_fs.roster_files.roster_file import Student, WrongRoster, parse, read


@pytest.mark.parametrize("character", ["\u00a0", "\u2009", "\u202f", "\u3000", "\u200c", "\u200d", "\u00ad", "\u200f"])
def test_names_of_people_may_have_any_space_and_joiner(character: str) -> None:
    name = f"A{character}B"
    assert parse(f"student_id,last_name\nada,{name}\n", "x").students == [Student("ada", {"last_name": name})]


@pytest.mark.parametrize(
    ("character", "named"),
    [
        ("\n", "U+000A (LINE BREAK)"),
        ("\t", "U+0009 (TAB)"),
        ("\x1b", "U+001B (ESCAPE)"),
        ("\x01", "U+0001)"),
        ("\u2028", "U+2028 (LINE SEPARATOR)"),
        ("\u202e", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
    ],
)
def test_what_breaks_a_name_is_named_with_its_row(character: str, named: str) -> None:
    with pytest.raises(WrongRoster) as wrong:
        parse(f'student_id,first_name\nada,\nmax,"M{character}x"\n', "x")
    assert "row 3: the first_name 'M" in str(wrong.value)
    assert f"has the character {named.rstrip(')')}" in str(wrong.value)


@pytest.mark.parametrize(
    ("character", "named"),
    [
        ("\u00a0", "U+00A0 (NO-BREAK SPACE)"),
        ("\u200b", "U+200B (ZERO WIDTH SPACE)"),
        ("\u200d", "U+200D (ZERO WIDTH JOINER)"),
        ("\ufeff", "U+FEFF (ZERO WIDTH NO-BREAK SPACE)"),
        ("\u3164", "U+3164 (HANGUL FILLER)"),
        ("\ufe0f", "U+FE0F (VARIATION SELECTOR-16)"),
        ("\u202e", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
    ],
)
def test_what_nobody_sees_in_a_user_name_is_named_with_its_row(character: str, named: str) -> None:
    with pytest.raises(WrongRoster) as wrong:
        parse(f"student_id\nada\nm{character}x\n", "x")
    assert f"row 3: the user name {f'm{character}x'!a} has the character {named} in it" in str(wrong.value)


def test_columns_that_are_not_used_may_have_anything() -> None:
    text = 'student_id,address\nada,"A street\nA town"\nmax,"=""x"""\nzoe,"a;b"\n'
    assert [student.user for student in parse(text, "x").students] == ["ada", "max", "zoe"]
    with pytest.raises(WrongRoster, match="row 3: the student_id is missing"):
        parse('student_id,address\nada,"A street\nA town"\n,"x"\n', "x")


def test_user_names_that_look_alike_are_one_too_many() -> None:
    with pytest.raises(WrongRoster) as wrong:
        parse("student_id\npeter\nPETER\nPeter\nzo\u00e9\nzoe\u0301\npeter\n", "x")
    assert wrong.value.lines[1:] == [
        "  row 3: PETER is peter in row 2: only capitals differ; remove one",
        "  row 4: Peter is peter in row 2: only capitals differ; remove one",
        "  row 6: zoe\u0301 is zo\u00e9 in row 5: accents are stored in another way (Unicode NFC and NFD); remove one",
        "  row 7: peter is in row 2, too",
    ]
    assert len(parse("student_id\ngross\ngroß\n", "x").students) == 2


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('"=""00123"""', '="00123" is a formula'),
        ('="00123"', '="00123" is a formula'),
        ("'00124", "'00124 begins with the ' by which a spreadsheet marks text"),
        ("1.23457E+11", "1.23457E+11 is a number that a spreadsheet has rounded"),
        ('"1,23457E+11"', "1,23457E+11 is a number that a spreadsheet has rounded"),
        ("#NAME?", "#NAME? stands there for an error"),
        ("########", "######## stands there for an error"),
        ("123456.0", "123456.0 is a number to which"),
        ("1-Mar", "1-Mar is a date"),
    ],
)
def test_what_a_spreadsheet_made_of_a_user_name_is_a_mistake_of_its_row(value: str, said: str) -> None:
    with pytest.raises(WrongRoster) as wrong:
        parse(f"student_id;email\nada;\n{value};\n", "x")
    assert f"row 3: {said}" in str(wrong.value)


def test_what_a_spreadsheet_made_of_a_name_is_a_mistake_of_its_row() -> None:
    with pytest.raises(WrongRoster, match="row 2: the first_name =A1 is a formula"):
        parse("student_id,first_name\nada,=A1\n", "x")
    assert parse("student_id,last_name\nada,'t Hooft\n", "x").students == [Student("ada", {"last_name": "'t Hooft"})]


@pytest.mark.parametrize(
    ("text", "rows", "columns"),
    [
        ("student_id,email\nada;a@x\n", "semicolons", "commas"),
        ("student_id;email\nada,a@x\n", "commas", "semicolons"),
        ("email;student_id\na@x,ada\n", "commas", "semicolons"),
        ("student_id,email\nada\ta@x\n", "tabs", "commas"),
        ("student_id\nada;Ada\n", "semicolons", "commas"),
        ("sep=|\nstudent_id|email\nada,a@x\n", "commas", "'|'"),
    ],
)
def test_rows_that_are_separated_otherwise_than_the_first_one_are_wrong(text: str, rows: str, columns: str) -> None:
    with pytest.raises(WrongRoster) as wrong:
        parse(text, "x")
    assert f"row 2: its values are separated by {rows}, but the columns of the first row by {columns}" in str(
        wrong.value
    )


@pytest.mark.parametrize("first", ["sep=;\n", '"sep=;"\r\n', "SEP=;\r\n"])
def test_excels_line_that_names_the_separator_is_heeded(first: str) -> None:
    text = first + 'student_id;last_name\nada;"L, A"\n;M\n'
    with pytest.raises(WrongRoster, match="row 3: the student_id is missing"):
        parse(text, "x")
    assert parse(text.replace(";M\n", ""), "x").students == [Student("ada", {"last_name": "L, A"})]


def test_what_is_quoted_separates_no_columns() -> None:
    assert parse('"Name, Vorname, Titel";"id"\n"L, A, Dr.";ada\n', "x").students == [Student("ada")]


def test_a_short_row_says_nothing_of_what_is_missing() -> None:
    roster = parse("student_id,first_name,last_name,email\nada,Ada\nmax,,,\n", "x")
    assert roster.students == [
        Student("ada", {"first_name": "Ada"}),
        Student("max", {"first_name": "", "last_name": "", "email": ""}),
    ]
    assert roster.notes == [
        "Rows with fewer values than columns, whose missing values stay as they are on the server: 2"
    ]


@pytest.mark.parametrize(
    ("headings", "values"),
    [
        ("Student_ID,First_Name,Last_Name,EMail", "ada,Ada,L,a@x"),
        ("ID,Vorname,Nachname,E-Mail-Adresse", "ada,Ada,L,a@x"),
        ("username,firstname,lastname,email,idnumber", "ada,Ada,L,a@x,4711"),
        ("First name,Last name,Username,Email address,ID number", "Ada,L,ada,a@x,4711"),
        ("Student,ID,SIS User ID,SIS Login ID,Section,First Name,Surname,E-mail", "x,12,34,ada,1,Ada,L,a@x"),
        ("Last Name,First Name,Username,Student ID,Last Access,Availability,Email", "L,Ada,ada,4711,,Yes,a@x"),
        ("OrgDefinedId,Username,Last Name,First Name,Email", "4711,ada,L,Ada,a@x"),
        ("Anmeldename,Familienname,Vorname,E-Mail", "ada,L,Ada,a@x"),
        ("Identifiant,Prénom,Nom,Courriel", "ada,Ada,L,a@x"),
    ],
)
def test_headings_of_other_systems_are_understood(headings: str, values: str) -> None:
    roster = parse(f"{headings}\n{values}\n", "x")
    assert roster.students == [Student("ada", {"first_name": "Ada", "last_name": "L", "email": "a@x"})]
    assert f"student_id is the column {headings.split(',')[values.split(',').index('ada')]!r}" in roster.notes


def test_canvas_row_of_points_is_nobody() -> None:
    headings = "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (1)"
    roster = parse(f'{headings}\n    Points Possible,,,,,10\n"L, Ada",12,34,ada,1,\n', "x")
    assert roster.students == [Student("ada")]
    with pytest.raises(WrongRoster, match="the SIS Login ID is missing"):
        parse(f'{headings}\n"L, Ada",12,34,,1,\n', "x")


def test_what_is_called_as_we_call_it_needs_no_word() -> None:
    assert parse("student_id,first_name,last_name,email\nada,,,\n", "x").notes == []
    assert parse("student_id,Username,email\nada,b,\n", "x").notes == ["These columns mean nothing here: Username"]


@pytest.mark.parametrize(
    ("headings", "said"),
    [
        ("Username,Login", "the columns 'Username' and 'Login' could all be the student_id"),
        ("student_id,E-Mail,Mail", "the columns 'E-Mail' and 'Mail' could all be the email"),
        ("id,username", "--columns student_id=id"),
        ("Benutzer,Vorname", "there is no column student_id or id"),
    ],
)
def test_columns_that_cannot_be_told_are_named(headings: str, said: str) -> None:
    with pytest.raises(WrongRoster, match=said):
        parse(f"{headings}\nada,b\n", "x")


def test_what_somebody_says_of_the_columns_counts() -> None:
    said = mapping_in(["student_id=Matrikelnummer, last_name = Name", '"first_name=Vorname, alle"'])
    assert said == {"student_id": "Matrikelnummer", "last_name": "Name", "first_name": "Vorname, alle"}
    text = 'student_id,MATRIKELNUMMER,Name,"Vorname, alle",email\nx,ada,L,Ada,a@x\n'
    students = parse(text, "x", said).students
    assert students == [Student("ada", {"first_name": "Ada", "last_name": "L", "email": "a@x"})]
    both = parse("Username,Login\na,b\n", "x", mapping_in(["student_id=Login"])).students
    assert both == [Student("b")]
    with pytest.raises(
        WrongRoster, match="there is no column 'Matr', which --columns has for student_id; there are: 'id'"
    ):
        parse("id\nada\n", "x", mapping_in(["student_id=Matr"]))
    with pytest.raises(WrongRoster, match="there are 2 columns 'Name'"):
        parse("id,Name,Name\nada,,\n", "x", mapping_in(["last_name=Name"]))


@pytest.mark.parametrize("text", ["student_id", "student_id=", "name=Name", "=x"])
def test_a_mapping_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WrongColumns, match="write it as --columns student_id=HEADING"):
        mapping_in([text])
    with pytest.raises(WrongColumns, match="says twice"):
        mapping_in(["email=a", "email=b"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "student_id,last_name\nada,L\nmax,Groß\n".encode("latin-1"),
            "line 3: this is no UTF-8; save it as CSV in UTF-8",
        ),
        ("student_id\nada\n".encode("utf-16-le"), "maybe UTF-16 without a mark; save it as CSV in UTF-8"),
        (b"\xff\xfea", "it begins as UTF-16, but is not; save it as CSV in UTF-8"),
        (b"PK\x03\x04\x14\x00", "this is a workbook; open it and save it as CSV in UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "this is a workbook"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(WrongRoster, match=said):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_that_says_its_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    # Excel's "Unicode Text", and Blackboard: UTF-16 with tabs.
    (tmp_path / "x.csv").write_bytes("student_id\tlast_name\r\nmax\tGroß\r\n".encode(encoding))
    assert read(tmp_path / "x.csv").students == [Student("max", {"last_name": "Groß"})]
