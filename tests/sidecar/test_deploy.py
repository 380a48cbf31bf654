"""What is given for deploying is true: the image, the unit of systemd, the manifests of Kubernetes.

No container engine, service manager or cluster is needed: each is read as its own tools read it,
and what it says the sidecar is started with starts one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from taskman_authz_sidecar.settings import Settings, add_flags, read_settings

from taskman_authz.cli import main
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import PATIENCE, SERVING
from tests.sidecar.test_workers import allowed

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "examples" / "deploy"
DOCKERFILE = ROOT / "sidecar" / "Dockerfile"
UNIT = DEPLOY / "taskman-authz.service"
BIN = Path(sys.executable).parent
PREFIX = "TASKMAN_AUTHZ_"

Start = Callable[..., object]


def instructions() -> list[tuple[str, str]]:
    """What the Dockerfile says, line by line: a name and what is to it."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.M).replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, rest in lines]


def image_variables() -> dict[str, str]:
    """The environment that the image gives the sidecar."""
    said = " ".join(rest for name, rest in instructions() if name == "ENV")
    pairs = (pair.partition("=") for pair in shlex.split(said))
    return {name: value for name, _, value in pairs if name.startswith(PREFIX)}


def manifests() -> list[dict]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def container() -> dict:
    """The sidecar's container in the manifest."""
    (deployment,) = [each for each in manifests() if each["kind"] == "Deployment"]
    (found,) = deployment["spec"]["template"]["spec"]["initContainers"]
    return found


def settings_of(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings by environment alone. A name that is no setting fails."""
    for name, value in variables.items():
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields, name
        monkeypatch.setenv(name, value)
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return read_settings(parser, vars(parser.parse_args([])))


# -- the image ------------------------------------------------------------------------------------


def test_the_dockerfile_has_no_finding():
    done = subprocess.run([BIN / "hadolint", DOCKERFILE], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_image_copies_what_there_is_and_its_context_lets_through():
    ignored = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().splitlines()
    for name, rest in instructions():
        if name == "COPY" and "--from" not in rest:
            *sources, _target = rest.split()
            for source in sources:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored, source


def test_the_image_runs_as_a_number_that_is_not_root_and_asks_for_its_health():
    said = dict(instructions())
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", said["USER"])  # Kubernetes cannot check a name
    assert json.loads(said["ENTRYPOINT"]) + json.loads(said["CMD"]) == ["taskman-authz", "serve"]
    command = json.loads(said["HEALTHCHECK"].partition("CMD ")[2])
    assert command[:2] == ["taskman-authz", "health"]


def test_the_variables_of_the_image_are_settings(monkeypatch):
    settings = settings_of(image_variables(), monkeypatch)
    assert (str(settings.policies), settings.log_format) == ("/policies", "json")
    port = {rest for name, rest in instructions() if name == "EXPOSE"}
    assert {settings.listen[0].rpartition(":")[2]} == port


@pytest.mark.process
def test_with_the_images_environment_and_no_place_to_write_it_serves_and_is_healthy(
    policies, start, monkeypatch
):
    for name, value in image_variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # as where all is read-only
    try:
        sidecar = start(policies)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert allowed(sidecar)
    command = [BIN / "taskman-authz", "health"]
    environment = {**os.environ, "TASKMAN_AUTHZ_LISTEN": sidecar.address}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout) == (0, "serving\n")
    assert sidecar.stop() == 0


# -- systemd --------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_reads_the_unit_and_finds_it_closed(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/taskman-authz/bin", str(BIN)))
    for arguments in (["verify", "--man=no"], ["security", "--offline=true", "--threshold=15"]):
        done = subprocess.run(
            ["systemd-analyze", *arguments, unit], capture_output=True, text=True, timeout=PATIENCE
        )
        complaints = [line for line in done.stderr.splitlines() if UNIT.name in line]
        assert (done.returncode, complaints) == (0, []), done.stdout[-500:]


def test_the_unit_starts_the_sidecar_with_settings_that_are_some(monkeypatch):
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.M)
    command = shlex.split(line)
    assert command[1:3] == ["serve", "--config"]
    assert Path(command[3]).name == "sidecar.yaml"
    parser = argparse.ArgumentParser()
    add_flags(parser)
    given = vars(parser.parse_args(["--config", str(DEPLOY / "sidecar.yaml")]))
    settings = read_settings(parser, given)
    assert settings.workers == 2
    (patience,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.M)
    assert int(patience) >= settings.grace + 10  # what the supervisor gives its workers


# -- Kubernetes -----------------------------------------------------------------------------------


def test_the_manifests_are_strictly_valid():
    for manifest in manifests():
        kubernetes_validate.validate(manifest, "1.31", strict=True)


def test_the_probes_of_the_pod_ask_what_the_sidecar_answers(monkeypatch):
    found = container()
    said = {each["name"]: each["value"] for each in found["env"]}
    settings = settings_of({**image_variables(), **said}, monkeypatch)
    ports = {address.rpartition(":")[2] for address in settings.listen}
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert str(found[kind]["grpc"]["port"]) in ports
    (mount,) = found["volumeMounts"]
    assert mount["mountPath"] == str(settings.policies)
    (deployment,) = [each for each in manifests() if each["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= settings.grace + 10


def test_the_metrics_of_the_pod_are_let_out_to_who_watches(monkeypatch):
    found = container()
    said = {each["name"]: each["value"] for each in found["env"]}
    ports = {each["name"]: each["containerPort"] for each in found["ports"]}
    assert settings_of(said, monkeypatch).metrics_listen == f"0.0.0.0:{ports['metrics']}"
    (policy,) = [each for each in manifests() if each["kind"] == "NetworkPolicy"]
    (watching,) = [each for each in policy["spec"]["ingress"] if "from" in each]
    assert [each["port"] for each in watching["ports"]] == ["metrics"]


def test_the_policies_of_the_manifest_compile(tmp_path):
    (config,) = [each for each in manifests() if each["kind"] == "ConfigMap"]
    for name, text in config["data"].items():
        (tmp_path / name).write_text(text)
    assert main(["compile", str(tmp_path)]) == 0


@pytest.mark.process
def test_a_folder_that_is_mounted_as_kubernetes_mounts_one_is_followed(tmp_path, start):
    """A ConfigMap is a folder of links into a hidden one, which is replaced in one step."""
    policies = tmp_path / "policies"

    def mount(version: str, text: str) -> None:
        hidden = policies / f"..{version}"
        hidden.mkdir(parents=True)
        write_policies(hidden, text)
        (policies / "..next").symlink_to(hidden.name)
        (policies / "..next").replace(policies / "..data")

    mount("1", POLICIES)
    (policies / "tasks.yaml").symlink_to("..data/tasks.yaml")
    sidecar = start(policies, "--reload-interval", "0.05")
    probed = container()["readinessProbe"]["grpc"]["service"]
    assert sidecar.health(probed) == sidecar.health("") == SERVING
    assert allowed(sidecar)
    mount("2", POLICIES.replace("effect: allow", "effect: deny", 1))
    sidecar.wait_for("policies loaded")
    assert not allowed(sidecar)
