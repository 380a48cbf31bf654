"""Promises of the settings: flags outrank the environment, and what is wrong is named."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from taskman_authz_sidecar.settings import (
    Settings,
    add_flags,
    config_schema,
    printed,
    read_settings,
)


def read(*arguments: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return read_settings(parser, vars(parser.parse_args(arguments)))


def test_every_setting_has_a_flag_with_its_help():
    parser = argparse.ArgumentParser()
    add_flags(parser)
    shown = parser.format_help()
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')}" in shown
        assert field.description


def test_without_anything_said_it_listens_on_this_machine_only():
    assert read().listen == ("127.0.0.1:50051",)


def test_several_addresses_are_given_by_several_flags_or_by_commas(monkeypatch):
    assert read("--listen", "[::1]:0", "--listen", "unix:///a").listen == ("[::1]:0", "unix:///a")
    monkeypatch.setenv("TASKMAN_AUTHZ_LISTEN", "localhost:1, unix:a")
    assert read().listen == ("localhost:1", "unix:a")


def test_a_flag_outranks_the_environment(monkeypatch):
    monkeypatch.setenv("TASKMAN_AUTHZ_GRACE", "3")
    monkeypatch.setenv("TASKMAN_AUTHZ_POLICIES", "/elsewhere")
    settings = read("--grace", "4")
    assert (settings.grace, settings.policies) == (4.0, Path("/elsewhere"))


def test_other_variables_of_the_house_are_left_alone(monkeypatch):
    monkeypatch.setenv("TASKMAN_AUTHZ_PURE", "1")
    assert read() == Settings()


@pytest.mark.parametrize(
    ("name", "meant"), [("TLS_CLIENT_CAA", "TLS_CLIENT_CA"), ("TOKNES", "TOKENS")]
)
def test_a_variable_that_is_nearly_that_of_a_setting_is_refused(name, meant, monkeypatch, capsys):
    monkeypatch.setenv(f"TASKMAN_AUTHZ_{name}", "x")
    with pytest.raises(SystemExit) as caught:
        read()
    assert caught.value.code == 2
    said = f"TASKMAN_AUTHZ_{name}: no such setting; did you mean `TASKMAN_AUTHZ_{meant}`?"
    assert said in capsys.readouterr().err


def test_variables_that_kubernetes_makes_of_a_service_are_left_alone(monkeypatch):
    for name in ("SERVICE_HOST", "SERVICE_PORT", "PORT", "PORT_50051_TCP_ADDR", "PORT_50051_TCP"):
        monkeypatch.setenv(f"TASKMAN_AUTHZ_{name}", "10.0.0.1")
    assert read() == Settings()


def test_limits_are_those_of_the_house_with_what_was_set():
    set_here = ("--max-message-bytes", "1000", "--max-batch-size", "7", "--answer-memory", "0")
    limits = read(*set_here).limits
    assert (limits.message_bytes, limits.batch_size, limits.answer_memory) == (1000, 7, 0)


@pytest.mark.parametrize(
    "address",
    ["", "50051", "localhost", "localhost:", "localhost:-1", "localhost:65536", "a:b:1", "unix:"]
    + ["unix://", ":50051", "[::1]", "::1:50051", "host :1", "host:\u0661"],
)
def test_what_is_no_address_is_refused(address, capsys):
    with pytest.raises(SystemExit) as caught:
        read(f"--listen={address}")
    assert caught.value.code == 2
    assert "--listen: expected" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--grace", "-1"),
        ("--reload-interval", "often"),
        ("--max-batch-size", "0"),
        ("--log-level", "loud"),
        ("--log-format", "xml"),
        ("--reflection", "perhaps"),
        ("--allowed-callers", "Check"),
        ("--allowed-callers", "=dns:a"),
        ("--allowed-callers", "Che*=dns:a"),
        ("--unix-socket-mode", "rw"),
        ("--tokens", "file:"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_flag(flag, value, capsys):
    with pytest.raises(SystemExit):
        read(flag, value)
    assert f"{flag}: " in capsys.readouterr().err


def test_a_bad_variable_is_refused_by_its_name(monkeypatch, capsys):
    monkeypatch.setenv("TASKMAN_AUTHZ_GRACE", "soon")
    with pytest.raises(SystemExit):
        read()
    assert "TASKMAN_AUTHZ_GRACE: " in capsys.readouterr().err


def test_a_file_says_settings_and_flags_and_environment_outrank_it(tmp_path, monkeypatch):
    file = tmp_path / "sidecar.yaml"
    file.write_text("grace: 3\nlog_level: debug\nlisten: [localhost:1]\nmax_batch_size: 7\n")
    monkeypatch.setenv("TASKMAN_AUTHZ_LOG_LEVEL", "error")
    settings = read("--config", str(file), "--grace", "4")
    assert (settings.grace, settings.log_level, settings.listen) == (4, "error", ("localhost:1",))
    assert settings.max_batch_size == 7


def test_the_environment_may_name_the_file(tmp_path, monkeypatch):
    file = tmp_path / "sidecar.yaml"
    file.write_text("grace: 3\n")
    monkeypatch.setenv("TASKMAN_AUTHZ_CONFIG", str(file))
    assert read().grace == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("grace: 3\ngrase: 3\n", "sidecar.yaml:2: `grase` is no setting"),
        ("grace: soon\n", "sidecar.yaml: grace: input should be a valid number"),
        ("- grace\n", "expected a mapping, found a list"),
        ("grace: [\n", "no YAML"),
    ],
)
def test_a_bad_line_of_the_file_is_refused_by_its_place(text, told, tmp_path, capsys):
    file = tmp_path / "sidecar.yaml"
    file.write_text(text)
    with pytest.raises(SystemExit) as caught:
        read("--config", str(file))
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


def test_a_file_that_is_not_there_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        read("--config", str(tmp_path / "none.yaml"))
    assert "none.yaml: no such file" in capsys.readouterr().err


def test_what_is_printed_can_be_read_again(tmp_path):
    settings = read("--grace", "4", "--listen", "[::1]:0", "--decision-log-mask", "subject.email")
    file = tmp_path / "sidecar.yaml"
    file.write_text(printed(settings))
    assert read("--config", str(file)) == settings


def test_of_a_secret_only_the_place_is_printed(monkeypatch):
    assert "tokens: file:/run/tokens\n" in printed(read("--tokens", "file:/run/tokens"))
    monkeypatch.setenv("TASKMAN_AUTHZ_TOKENS", "web a-long-secret-text")
    settings = read()
    assert "a-long-secret-text" not in printed(settings) + repr(settings) + str(settings)


def test_the_schema_of_the_file_names_every_setting():
    assert json.loads(config_schema())["properties"].keys() == Settings.model_fields.keys()
