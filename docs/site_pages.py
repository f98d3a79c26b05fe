"""Makes a site of what GitHub shows as a folder: README and its like become pages, and links lead to the same headings.

A hook of mkdocs (`mkdocs.yml`). The files themselves are written for GitHub and stay as they are.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
#: Files outside of docs/ that are pages of the site, by their names there.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "assets/report/README.md": "report.md",
    "assets/report/real-model.md": "real-model.md",
}
_LINK = re.compile(r"(\]\()(?!https?:|#|mailto:)([^)#\s]+)")


def slug(heading: str, separator: str) -> str:
    """The name of a heading in an address, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", separator)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    config.mdx_configs.setdefault("toc", {})["slugify"] = slug
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    linked: set[str] = set()
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_for_the_site(text, source, linked)))
    for path in sorted(linked):
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: object, config: MkDocsConfig, files: Files) -> str:
    """Links of pages in docs/ to what lies outside of it."""
    return _LINK.sub(lambda found: found[1] + _moved(posixpath.normpath(f"docs/{found[2]}"), found[2]), markdown)


def _moved(path: str, otherwise: str) -> str:
    return PAGES.get(path, otherwise)


def _for_the_site(text: str, source: str, linked: set[str]) -> str:
    """`text` with its links as they lead from the site's first folder; adds files that they need to `linked`."""

    def lead(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[2]))
        if path in PAGES:
            return found[1] + PAGES[path]
        if path.startswith("docs/"):
            return found[1] + path.removeprefix("docs/")
        if (ROOT / path).is_file():
            linked.add(path)
        return found[1] + path

    return _LINK.sub(lead, text)
