"""What an administrator has to know -> a mail that says what happened, why, and what to do now."""

from collections.abc import Sequence

from common.labels import Labels
from common.messages.mail import Mail
from common.messages.templates import render


def notice_mail(
    title: str,
    labels: Labels,
    sentences: Sequence[str],
    *,
    is_good: bool = False,
    error: str = "",
    to_do: str = "",
    command: str = "",
    lists: Sequence[tuple[str, Sequence[str]]] = (),
    notes: Sequence[str] = (),
) -> Mail:
    """A mail with this title, which is its subject, too.

    sentences: what happened
    is_good:   whether it is good news
    error:     what a program says, in English
    to_do:     what to do now; `command` is one that helps with it
    lists:     headings, each with its lines; one without lines is left out
    notes:     what matters least
    """
    lists = [(heading, lines) for heading, lines in lists if lines]
    paragraphs = [
        title,
        "\n".join(sentences),
        f"{labels['what the program says']}:\n{error}" if error else "",
        f"{labels['what to do']}:\n{to_do}" if to_do else "",
        f"    {command}" if command else "",
        *("\n".join([f"{heading}:", *lines]) for heading, lines in lists),
        "\n".join(notes),
    ]
    content = {
        "title": title,
        "labels": labels,
        "sentences": sentences,
        "is_good": is_good,
        "to_do": to_do,
        "command": command,
        "error": error,
        "lists": lists,
        "notes": notes,
    }
    return Mail(title, "\n\n".join(filter(None, paragraphs)) + "\n", render("messages/notice.html", content))
