"""The documents lead to what there is: files, headings, pictures and source files."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tests.conftest import REPOSITORY
from tests.support.pictures import FOLDER, MOST_BYTES, PICTURES

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
PARTS = ("functions", "layers/shared/sklambda", "training")
ARCHITECTURE = REPOSITORY / "docs/architecture.md"
EVENTS = {f"sklambda.{name}" for name in ("drift", "monitor", "performance", "retrain")}
"""The source and the detail types of the monitor's events, which look like modules."""

BUILT = ("layers/model/",)
"""Folders that training fills."""

NOT_LISTED = ("training/convert/families", "training/examples")
"""Folders that the page on the architecture describes as a whole."""


def text_of(page: Path) -> str:
    """Read a page without its code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> Iterator[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    return (link for link in found if "://" not in link)


def anchors(page: Path) -> set[str]:
    """Name the headings of a page as GitHub does."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    plain = (re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


def test_every_link_leads_somewhere() -> None:
    broken = []
    for page in PAGES:
        for link in links(page):
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.name}: {link}")

    assert broken == []


def test_every_source_that_a_page_names_exists() -> None:
    missing = []
    for page in PAGES:
        for name in re.findall(
            r"`((?:functions|layers|training|tests|events)/[\w./-]+)`", text_of(page)
        ):
            if not (REPOSITORY / name).exists() and not name.startswith(BUILT):
                missing.append(f"{page.name}: {name}")
        for name in re.findall(r"`((?:functions|training|sklambda|tests)\.[\w.]+)`", text_of(page)):
            if name not in EVENTS and not is_importable(name):
                missing.append(f"{page.name}: {name}")

    assert missing == []


def is_importable(name: str) -> bool:
    """Tell whether a dotted name is a module, or a name of a module."""
    path = name.replace(".", "/")
    roots = (REPOSITORY, REPOSITORY / "layers/shared")
    for stem, rest in ((path, ""), path.rsplit("/", 1)):
        for root in roots:
            for file in (root / f"{stem}.py", root / stem / "__init__.py"):
                if file.is_file() and (not rest or re.search(rf"\b{rest}\b", file.read_text())):
                    return True
    return any((root / path).is_dir() for root in roots)


def test_every_picture_is_shown_made_by_its_command_and_small() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in links(page)
        if link.endswith(".png")
    }
    made = {FOLDER / name for name in PICTURES}

    assert shown == made == set(FOLDER.iterdir()), "make pictures"
    assert {path.name for path in made if path.stat().st_size > MOST_BYTES} == set()


def test_the_glossary_is_alphabetical() -> None:
    page = (REPOSITORY / "docs/glossary.md").read_text()
    terms = [term.casefold() for term in re.findall(r"^\| ([^|]+) \| ", page, re.MULTILINE)[1:]]

    assert terms == sorted(terms)


def test_each_decision_has_a_date() -> None:
    paragraphs = (REPOSITORY / "docs/decisions.md").read_text().split("\n\n")[2:]
    dated = re.compile(r"\*\*[^*]+\*\* \(\d{4}-\d\d-\d\d\)")

    assert [one[:60] for one in paragraphs if not dated.match(one)] == []


def listed() -> set[str]:
    """Read the files that the page on the architecture lists, with their folders."""
    found, folder, inner = set(), PurePosixPath(), PurePosixPath()
    for line in ARCHITECTURE.read_text().splitlines():
        if base := re.match(r"(?:## )?`((?:functions|training|layers)[\w/]*)`", line):
            folder = PurePosixPath(base[1])
        elif row := re.match(r"\| `(\w+\.py)` \|", line):
            found.add(str(folder / row[1]))
        elif row := re.match(r"\| (?:`([\w/]+)/\w+\.py`)? ?\| `(\w+\.py)` \|", line):
            inner = PurePosixPath(row[1]) if row[1] else inner
            found.add(str(folder / inner / row[2]))
    return found


def test_the_architecture_lists_each_source_file() -> None:
    paths = (path for part in PARTS for path in (REPOSITORY / part).rglob("*.py"))
    names = {path.relative_to(REPOSITORY).as_posix() for path in paths}
    sources = {
        name
        for name in names
        if not name.endswith("/__init__.py") and not name.startswith(NOT_LISTED)
    }

    assert sources - listed() == set(), "say in docs/architecture.md what they decide"
    assert listed() - sources == set(), "docs/architecture.md lists files that there are not"


def test_each_parameter_of_the_template_is_documented() -> None:
    parameters, _, _ = (REPOSITORY / "template.yaml").read_text().partition("\nConditions:")
    names = re.findall(r"^  ([A-Z]\w+):$", parameters.partition("\nParameters:")[2], re.MULTILINE)
    page = (REPOSITORY / "docs/operations.md").read_text()

    assert len(names) > 20
    assert [name for name in names if f"`{name}`" not in page] == []
