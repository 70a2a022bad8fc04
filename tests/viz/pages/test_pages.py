"""Pages put together from their parts: self-contained, and data cannot break out."""

import base64
import hashlib
import json
import re
from importlib.resources import files

import pytest

from minigan.viz import pages

NASTY = "</script><script>alert(1)</script>&<!--"


@pytest.mark.parametrize("name", ["lab", "inspect"])
def test_a_page_holds_all_it_needs_and_only_its_own_script_may_run(name):
    page = pages.build(name, title=NASTY, data={"words": NASTY})
    assert "<!-- " not in page and "<script>alert" not in page
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page and "default-src 'none'" in page
    assert page.index("Content-Security-Policy") < page.index("<script")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert json.loads(data) == {"words": NASTY}
    assert not re.search(r'(src|href)="(?!data:|#)', page) and "://" not in page and "innerHTML" not in page
    assert 'lang="en"' in page and 'name="viewport"' in page and "prefers-color-scheme: dark" in page


@pytest.mark.parametrize("name", ["lab", "inspect"])
def test_every_element_a_script_asks_for_is_there(name):
    page = pages.build(name, title="", data={})
    ids = set(re.findall(r' id="([\w-]+)"', page))
    assert set(re.findall(r"byId\('([\w-]+)'\)", page)) <= ids
    assert len(re.findall(r' id="([\w-]+)"', page)) == len(ids)


def test_the_parts_travel_in_the_package():
    names = {part.name for part in files("minigan.viz.pages").iterdir()}
    assert names >= {"lab.html", "lab.css", "lab.js", "draw.js", "common.css", "inspect.html", "inspect.js"}


def test_numbers_that_json_has_no_name_for_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        pages.build("lab", title="", data={"loss": float("nan")})
