"""Checks the documentation: links, anchors, contents, included code, paths of files, and the messages of the troubleshooting page.

Usage: python3 docs/check.py        (needs Python 3.11 or newer, nothing else)
"""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
FENCE = re.compile(r"^( *)```.*?^\1```", re.M | re.S)
LINK = re.compile(r"(!?)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.M)
faults = []


def fault(page, text):
    faults.append(f"{page.relative_to(REPOSITORY)}: {text}")


def anchors(text):
    """The anchors that a forge and mdBook give to the headings of a page."""
    names = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        names.add(name)
    return names


def check_links(page):
    for _, target in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            fault(page, f"{target} does not exist")
        elif anchor and anchor not in anchors(file.read_text()):
            fault(page, f"{target}: there is no such heading")


def check_contents(pages):
    """Every page is in the table of contents once."""
    listed = [target for _, target in LINK.findall((DOCS / "SUMMARY.md").read_text())]
    for page in pages:
        name = page.relative_to(DOCS).as_posix()
        if name != "SUMMARY.md" and listed.count(name) != 1:
            fault(page, f"is in SUMMARY.md {listed.count(name)} times, expected once")


def check_included(page):
    """A fenced block after `<!-- FILE -->` is the text of that file."""
    for name, code in re.findall(r"<!-- (\S+) -->\s*\n+```\w*\n(.*?)^```", page.read_text(), re.M | re.S):
        if (page.parent / name).read_text() != code:
            fault(page, f"the block after <!-- {name} --> differs from that file")


def check_messages():
    """Every message of the troubleshooting page is in the source text of a tool or of its SQL."""
    page = DOCS / "troubleshooting.md"
    sources = [path for path in (REPOSITORY / "crates").glob("*/src/**/*.rs")]
    texts = [re.sub(r"\\\n\s*", "", path.read_text()).replace('\\"', '"') for path in sources]
    headings = [message.strip() for _, message in re.findall(r"^### (`+)(.+)\1$", page.read_text(), re.M)]
    reasons = page.read_text().partition("## Reasons for rejection")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(.+?)` \|", reasons, re.M)
    for message in headings + rows:
        parts = [re.escape(part) for part in re.split(r"\s*…\s*", message) if part]
        pattern = re.compile(r"[^\n]{0,400}?".join(parts))
        if not any(pattern.search(text) for text in texts):
            fault(page, f"no tool says `{message}`")


def check_paths(page):
    """Every path in backticks that looks like one of this repository exists, below one of the usual directories."""
    bases = [REPOSITORY, REPOSITORY / "crates", REPOSITORY / "crates/test-support/python", DOCS, page.parent]
    for path in re.findall(r"`([\w.-]+(?:/[\w.-]+)+)`", FENCE.sub("", page.read_text())):
        is_source = re.search(r"\.(rs|py|sql|json|toml|js|md|sh)$", path) or path.partition("/")[0] in ("crates", "infra", "queries")
        if is_source and not path.startswith(("data/", "target/")) and not any((base / path).exists() for base in bases):
            fault(page, f"`{path}` does not exist")


pages = sorted(DOCS.rglob("*.md"))
for page in [REPOSITORY / "README.md", *pages]:
    check_links(page)
    check_included(page)
for page in REPOSITORY.glob("*.md"):
    check_paths(page)
check_contents(pages)
check_messages()
print("\n".join(faults) if faults else f"{len(pages)} pages are sound")
sys.exit(bool(faults))
