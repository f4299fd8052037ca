"""Edits of a text: applied, undone, found between two texts, moved past those of others. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher

from documents.events import Edit


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text after these edits, one after the other. Raises ValueError where one removes what is
    not there."""
    for each in edits:
        end = each.position + len(each.removed)
        if each.position > len(text) or text[each.position : end] != each.removed:
            raise ValueError(f"there is no {each.removed!r} at {each.position}")
        text = text[: each.position] + each.text + text[end:]
    return text


def undone(text: str, edits: Iterable[Edit]) -> str:
    """The text before these edits."""
    back = (replace(each, removed=each.text, text=each.removed) for each in edits)
    return applied(text, reversed(list(back)))


def edits_between(old: str, new: str) -> list[Edit]:
    """The edits that make the one of the other, the last in the text first: so the positions of
    each are those in the old text too."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    found = []
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            removed, text = "".join(before[i:j]), "".join(after[k:m])
            found.append(_trimmed(Edit(position=starts[i], removed=removed, text=text)))
    return found[::-1]


def _trimmed(edit: Edit) -> Edit:
    """Without what is the same at both ends."""
    removed, text = edit.removed, edit.text
    same = _common(removed, text)
    removed, text = removed[same:], text[same:]
    ends = _common(removed[::-1], text[::-1])
    return Edit(
        position=edit.position + same,
        removed=removed[: len(removed) - ends],
        text=text[: len(text) - ends],
    )


def _common(one: str, other: str) -> int:
    """How many characters they begin with are the same, without parts of words: a word is changed
    as a whole."""
    pairs = enumerate(zip(one, other, strict=False))
    same = next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
    while _splits_a_word(one, same) or _splits_a_word(other, same):
        same -= 1
    return same


def _splits_a_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def touches(edit: Edit, past: Edit) -> bool:
    """Whether two edits of one text change the same place: then nobody but a person can say what
    the text should be."""
    end, past_end = edit.position + len(edit.removed), past.position + len(past.removed)
    both_insert_here = edit.position == end == past.position == past_end
    return both_insert_here or (edit.position < past_end and past.position < end)


def moved(edit: Edit, past: Edit) -> Edit:
    """The edit where it belongs after another, which it does not touch."""
    if edit.position < past.position + len(past.removed):
        return edit
    return replace(edit, position=edit.position + len(past.text) - len(past.removed))
