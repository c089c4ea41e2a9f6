"""What the documents tell to write and to run, taken from their text."""

import re

from support.places import REPOSITORY


def blocks(name: str, language: str = r"\w*", heading: str | None = None) -> list[str]:
    """Returns the blocks of a document of `docs` in a language, those below a heading where one is named."""
    text = (REPOSITORY / "docs" / name).read_text()
    if heading:
        begin = text.index(f"\n{heading}\n") + 1
        end = re.compile(rf"^#{{1,{heading.index(' ')}}} ", re.MULTILINE).search(text, begin + len(heading))
        text = text[begin : end.start() if end else None]
    # Every fence, so that the end of a block is not taken for the beginning of one.
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for kind, block in found if re.fullmatch(language, kind)]
