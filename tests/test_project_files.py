"""What other sites read of the project: how to cite it, the forms for issues, the documentation as a site."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.places import ROOT
from support.project import PROJECT

PROGRAMS = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("citation-file-format", "CITATION.cff"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
    ],
)
def test_they_are_what_their_schemas_say(schema: str, files: str) -> None:
    found = sorted(ROOT.glob(files))
    assert found
    check: list[str | Path] = [PROGRAMS / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *found]
    checked = subprocess.run(check, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_a_citation_names_this_version_and_the_paper() -> None:
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {PROJECT['version']}\n" in cited and f"\nlicense: {PROJECT['license']}\n" in cited
    paper = PROJECT["urls"]["Paper"]
    assert f"url: {paper}\n" in cited and f"value: arXiv:{paper.rpartition('/')[2]}\n" in cited


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built without a warning."""
    folder = tmp_path_factory.mktemp("docs")
    build: list[str | Path] = [PROGRAMS / "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


def test_the_site_has_every_page_and_fetches_nothing(site: Path) -> None:
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= {path.stem for path in site.glob("*.html")}
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""<(?:script|img|iframe|link)[^>]*(?:src|href)=["']?(?:https?:)?//""", text), path.name
    for path in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(?:https?:)?//", path.read_text(encoding="utf-8")), path.name


def test_what_the_readme_links_is_on_the_site(site: Path) -> None:
    start = (site / "index.html").read_text(encoding="utf-8")
    assert "](" not in re.sub(r"<(pre|code).*?</\1>", "", start, flags=re.S)
    for target in re.findall(r'(?:href|src)="(?!https?:|#)([^"#]+)', start):
        assert (site / target).is_file(), target
