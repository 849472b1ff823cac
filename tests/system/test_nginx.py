"""The proxy sample of the README on a real nginx: `/metrics` stays inside, however it is spelt."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.client import NDJSON
from tests.harness.postgres import Cluster
from tests.harness.processes import free_port, wait_until
from tests.harness.raw_socket import RawSocket
from tests.harness.server import REPOSITORY, Server, serve
from tests.system.test_pgbouncer import rating

START_TIMEOUT_S = 30
INSIDE = ["/metrics", "/%6Detrics", "/metric%73", "/METRICS/../metrics", "//metrics", "/./metrics"]

_CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {sample}
    }}
}}
"""


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[Server]:
    """Run the service."""
    with cluster.database() as url, serve(url) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(server: Server) -> Iterator[str]:
    """Run nginx with the locations of the README, and return its address."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/opt/homebrew/bin")
    assert program, "nginx is missing: make test-system installs it"
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    samples = re.findall(r"```\n(location = /metrics .*?)```", readme, re.DOTALL)
    [sample] = samples
    sample = sample.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    port = free_port()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, sample=sample))
        process = subprocess.Popen([program, "-p", folder, "-c", configuration])
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _answers(address), START_TIMEOUT_S, "nginx answers")
            yield address
        finally:
            process.terminate()
            process.wait(START_TIMEOUT_S)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/livez").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("path", INSIDE)
def test_metrics_stay_inside(server: Server, proxy: str, path: str) -> None:
    with server.raw_socket() as connection:
        assert connection.request("GET", "/metrics").status == 200
    with RawSocket(int(proxy.rpartition(":")[2]), START_TIMEOUT_S) as connection:
        answer = connection.request("GET", path)
    assert answer.status == 404
    assert b"shopdsr_" not in answer.body


def test_events_pass_as_they_do_without_a_proxy(server: Server, proxy: str) -> None:
    key = server.shell.create_key("proxied")
    shop = {"marketplace": "taobao", "category": "c", "currency": "CNY"}
    with httpx.Client(base_url=proxy, headers={"Authorization": f"Bearer {key}"}) as client:
        for number in range(3):
            assert client.put(f"/v1/shops/shop-{number}", json=shop).status_code == 201
        lines = b"\n".join(
            httpx.Request("POST", proxy, json=rating(1, n)).content for n in range(60)
        )
        answer = client.post("/v1/events", content=lines, headers={"Content-Type": NDJSON})
        assert answer.json()["stored"] == 60
        assert client.get("/v1/shops/shop-1/scorecard").json()["dsr"]["service"]["count"] == 20
