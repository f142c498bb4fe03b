"""Settings: environment, command line, secrets."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from app.cli import SETTINGS, main
from app.config import BadSetting, Config


def test_command_line_wins_over_environment_wins_over_defaults() -> None:
    environ = {"MOLFORGE_PORT": "9000", "MOLFORGE_THREADS": "2", "MOLFORGE_ACCESS_LOG": "true", "PORT": "1"}

    config = Config.from_environ(environ, port=9100, host=None)

    assert (config.port, config.threads, config.access_log, config.host) == (9100, 2, True, "0.0.0.0")


def test_secret_comes_from_a_file_or_the_environment_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"from a file\n")

    assert Config.from_environ({"MOLFORGE_SECRET": "text"}).secret == b"text"
    config = Config.from_environ({"MOLFORGE_SECRET": "text"}, secret_file=file)

    assert config.secret == b"from a file"
    assert "from a file" not in repr(config)


@pytest.mark.parametrize(
    ("environ", "given"),
    [
        pytest.param({"MOLFORGE_PORT": "many"}, {}, id="not-a-number"),
        pytest.param({}, {"port": 70000}, id="no-such-port"),
        pytest.param({}, {"max_sessions": 0}, id="no-sessions"),
        pytest.param({"MOLFORGE_ACCESS_LOG": "maybe"}, {}, id="not-a-bool"),
        pytest.param({"MOLFORGE_LOG_LEVEL": "LOUD"}, {}, id="no-such-level"),
        pytest.param({}, {"secret_file": "/nonexistent"}, id="no-secret-file"),
        pytest.param({"MOLFORGE_IDLE_SECONDS": "nan"}, {}, id="nan"),
    ],
)
def test_impossible_settings_are_refused_by_name(environ: dict[str, str], given: dict[str, object]) -> None:
    with pytest.raises(BadSetting):
        Config.from_environ(environ, **given)


def test_command_line_says_what_is_wrong_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--port", "70000"])

    assert ended.value.code == 2
    assert "port=70000" in capsys.readouterr().err


def test_serve_has_every_setting_and_tells_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    told = " ".join(capsys.readouterr().out.split())

    assert {*SETTINGS, "journal", "secret"} == {field.name for field in fields(Config)}
    assert "--port N TCP port, 0 for a free one (default: 8000)" in told
    assert "(default: 3600)" in told
