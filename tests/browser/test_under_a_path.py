"""The app under a path of a real proxy: everything that a page needs is found there."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.explore_page import PATIENCE_MS, TREE
from support.serving import serving
from support.waiting import until

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location /trees/ {{
      proxy_pass {address}; proxy_http_version 1.1; proxy_buffering off; proxy_set_header Host $http_host;
    }}
  }}
}}
"""


def test_the_pages_work_under_a_path(tmp_path: Path, chromium_page: Callable[..., Any]) -> None:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    with serving(tmp_path) as serve:
        address = serve("--port", "0", "--root-path", "/trees/")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        configuration = tmp_path / "nginx.conf"
        configuration.write_text(NGINX.format(folder=tmp_path, port=port, address=address))
        proxy = subprocess.Popen([nginx, "-c", str(configuration), "-p", str(tmp_path)])
        try:
            until(lambda: _answers(port))
            page = chromium_page(f"http://127.0.0.1:{port}/trees/")
            page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)  # the recorded example
            first = page.get_attribute(TREE, "data-run")
            page.click("#run")
            page.wait_for_selector(f"{TREE}[data-status=done]:not([data-run={first!r}])", timeout=2 * PATIENCE_MS)
            page.click("#header nav >> text=Compare")
            page.wait_for_url(f"http://127.0.0.1:{port}/trees/compare**")
            page.wait_for_selector("#run")
            page.click("#header nav >> text=Runs")
            page.locator("[data-part=open]").first.click()
            page.wait_for_url(f"http://127.0.0.1:{port}/trees/?run=**")
            page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
        finally:
            proxy.terminate()
            proxy.wait(timeout=30)


def _answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
