"""Documents: what is merged, what is a conflict, and that no edit is lost."""

from datetime import UTC, datetime

from documents import DOCUMENTS, PLUGIN
from documents.commands import ApplyDocumentEdit, ArchiveDocument, CreateDocument, SaveDocument
from documents.document import MOST_KEPT
from documents.events import DocumentArchived, DocumentCreated, DocumentEdited, Edit
from documents.text import applied, edits_between, moved, touches, undone
from hypothesis import assume, given
from hypothesis import strategies as st

from cqrs_app.area_contract import AreaContract
from cqrs_app.kernel.testing import Performer, Scenarios

TEXT = "First line.\nSecond line.\nThird line.\n"
CREATED = DocumentCreated(document_id="D1", title="Notes", text=TEXT)
ANA, BEN = Performer(name="ana"), Performer(name="ben")
scenarios = Scenarios(DOCUMENTS, at=datetime(2026, 12, 1, 9, tzinfo=UTC))


class TestContract(AreaContract):
    plugin = PLUGIN


def edited(position: int, removed: str, text: str, *, base: int, editor: str) -> DocumentEdited:
    edit = Edit(position=position, removed=removed, text=text)
    return DocumentEdited(document_id="D1", editor=editor, base_version=base, edits=(edit,))


BY_BEN = edited(0, "First", "The first", base=1, editor="ben")


def save(text: str, *, base: int = 1, merge: bool = True) -> SaveDocument:
    return SaveDocument(document_id="D1", base_version=base, text=text, merge=merge)


def test_a_text_is_made_from_its_edits() -> None:
    edit = ApplyDocumentEdit(document_id="D1", base_version=1, position=12, length=6, text="2nd")
    by_ana = edited(12, "Second", "2nd", base=1, editor="ana")
    document = scenarios.given(CREATED).when(edit, performer=ANA).then(by_ana)
    assert document.text == "First line.\n2nd line.\nThird line.\n"
    assert document.version == 2


def test_the_spaces_of_an_edit_are_part_of_it() -> None:
    edit = ApplyDocumentEdit(document_id="D1", base_version=1, position=5, text=" long")
    document = scenarios.given(CREATED).when(edit).subject
    assert document.text.startswith("First long line.")


def test_a_change_elsewhere_is_kept_and_both_are_in_the_text() -> None:
    mine = save(TEXT.replace("Third", "Last"))
    by_ana = edited(29, "Third", "Last", base=1, editor="ana")
    document = scenarios.given(CREATED, BY_BEN).when(mine, performer=ANA).then(by_ana)
    assert document.text == "The first line.\nSecond line.\nLast line.\n"


def test_a_change_of_the_same_place_is_a_conflict_that_says_what_changed() -> None:
    mine = save(TEXT.replace("First", "1st"))
    refused = scenarios.given(CREATED, BY_BEN).when(mine, performer=ANA).refused("edit_conflict")
    assert refused.sentence == (
        "ben changed “First” to “The first” in version 2, where you changed “First” to “1st”. "
        "Nothing was changed. Open the document again, and make your change there."
    )


def test_without_merging_any_change_since_is_a_conflict() -> None:
    mine = save(TEXT.replace("Third", "Last"), merge=False)
    refused = scenarios.given(CREATED, BY_BEN).when(mine).refused("edit_conflict")
    assert "ben changed the document since version 1." in refused.sentence
    scenarios.given(CREATED).when(mine, performer=ANA).then(
        edited(25, "Third", "Last", base=1, editor="ana")
    )


def test_two_people_who_insert_at_one_place_conflict() -> None:
    by_ben = edited(0, "", "Title\n", base=1, editor="ben")
    mine = save("Heading\n" + TEXT)
    scenarios.given(CREATED, by_ben).when(mine, performer=ANA).refused("edit_conflict")


def test_a_version_too_old_to_merge_with_is_refused() -> None:
    many = [edited(0, "", "x", base=n + 1, editor="ben") for n in range(MOST_KEPT + 1)]
    mine = save(TEXT + "End.\n")
    scenarios.given(CREATED, *many).when(mine).refused("version_too_old")


def test_edits_that_cannot_be_are_refused() -> None:
    outside = ApplyDocumentEdit(document_id="D1", base_version=1, position=36, length=5)
    scenarios.given(CREATED).when(outside).refused("outside_of_text")
    scenarios.given(CREATED).when(save(TEXT)).refused("no_change")
    scenarios.given(CREATED).when(save("x", base=2)).refused("unknown_version")
    scenarios.given(CREATED).when(CreateDocument(document_id="D1", title="Again")).refused(
        "document_exists"
    )
    big = edited(0, "", "x" * 19_990, base=1, editor="ben")
    scenarios.given(CREATED, big).when(save(TEXT + "y" * 100)).refused("text_too_long")


def test_nobody_edits_what_is_archived() -> None:
    archived = DocumentArchived(document_id="D1")
    scenarios.given(CREATED).when(ArchiveDocument(document_id="D1")).then(archived)
    scenarios.given(CREATED, archived).when(save("x")).refused("document_not_open")


texts = st.text(alphabet="ab\n", max_size=30)


@st.composite
def edits_of(draw: st.DrawFn, text: str) -> Edit:
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 5)))
    return Edit(position=start, removed=text[start:end], text=draw(texts))


@given(texts, texts)
def test_the_edits_between_two_texts_lead_there_and_back(old: str, new: str) -> None:
    edits = edits_between(old, new)
    assert applied(old, edits) == new
    assert undone(new, edits) == old


@given(st.data(), texts)
def test_the_text_is_the_same_whoever_comes_first(data: st.DataObject, text: str) -> None:
    mine, theirs = data.draw(edits_of(text)), data.draw(edits_of(text))
    assume(not touches(mine, theirs))
    first = applied(applied(text, [mine]), [moved(theirs, mine)])
    assert first == applied(applied(text, [theirs]), [moved(mine, theirs)])


@given(st.data(), texts)
def test_who_touches_the_same_place_does_not_depend_on_the_order(
    data: st.DataObject, text: str
) -> None:
    mine, theirs = data.draw(edits_of(text)), data.draw(edits_of(text))
    assert touches(mine, theirs) == touches(theirs, mine)
