"""A container of our image for as long as a client needs it: OpenEnv's container provider, without its leaks.

Stock gives ``docker stop`` ten seconds and then forgets a container that took longer, and forgets one that
did not become ready; here it is removed by force. Only what OpenEnv's clients call is here, so both releases
take it, and nothing of OpenEnv is imported.
"""

from __future__ import annotations

import logging
import secrets
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)

PORT = 8000
"""Of the server inside."""
READY_SECONDS = 90.0
STOP_SECONDS = 5
"""After SIGTERM; the server takes one or two."""
DOCKER_SECONDS = 60.0
"""How long one docker command may take."""


class ContainerFailed(RuntimeError):
    """Docker could not start it, or it did not become ready; the message holds what was printed."""


class Container:
    """One container at a time, published on the loopback address."""

    def __init__(self) -> None:
        self._name: str | None = None

    def start_container(
        self, image: str, port: int | None = None, env_vars: Mapping[str, str] | None = None, **_options: Any
    ) -> str:
        """Start the image and return its base URL; raise ``ContainerFailed``."""
        self.stop_container()
        self._name = name = f"molforge-{secrets.token_hex(6)}"
        settings = [word for key, value in (env_vars or {}).items() for word in ("--env", f"{key}={value}")]
        publish = f"127.0.0.1:{port or ''}:{PORT}"
        _docker("run", "--detach", "--name", name, "--publish", publish, *settings, image)
        return f"http://{_docker('port', name, str(PORT)).splitlines()[0]}"

    def wait_for_ready(self, base_url: str, timeout_s: float = READY_SECONDS) -> None:
        """Wait for ``/health``; if it does not come, remove the container and raise ``ContainerFailed``."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            with suppress(OSError), opener.open(f"{base_url}/health", timeout=2.0):
                return
            time.sleep(0.1)
        printed = ""
        with suppress(ContainerFailed):
            printed = _docker("logs", "--tail", "20", self._name or "")
        self.stop_container()
        raise ContainerFailed(
            f"{base_url}/health did not answer within {timeout_s:g} s; it printed: {printed}"
        )

    def stop_container(self) -> None:
        """Stop and remove the container, if there is one; whatever happens, none is left."""
        name, self._name = self._name, None
        if name is None:
            return
        for command in (("stop", "--time", str(STOP_SECONDS)), ("rm", "--force")):
            with suppress(ContainerFailed):  # it may never have come to be
                _docker(*command, name)


def _docker(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, check=True, timeout=DOCKER_SECONDS
        )
    except FileNotFoundError:
        raise ContainerFailed("there is no docker command here") from None
    except subprocess.CalledProcessError as why:
        raise ContainerFailed(f"docker {arguments[0]} failed: {why.stderr.strip()}") from None
    except subprocess.TimeoutExpired:
        raise ContainerFailed(f"docker {arguments[0]} took longer than {DOCKER_SECONDS:g} s") from None
    return done.stdout.strip()
