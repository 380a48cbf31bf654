"""Settings from flags, environment and file: what was said, where, and what is wrong with it."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args, get_origin

import yaml
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from .kinds import REFERENCES
from .model import PREFIX, Settings

# What stands for a value in the help, where its type does not say.
METAVARS = {
    "listen": "ADDRESS",
    "http_listen": "ADDRESS",
    "metrics_listen": "ADDRESS",
    "database": "DSN",
    "roles_source": "ADDRESS",
    "http_base_url": "URL",
    "otlp_endpoint": "URL",
    "amqp": "URL",
    "redis": "URL",
    "log_calls": "SHARE",
    "trace_sample": "SHARE",
    "decision_log_mask": "ATTRIBUTE",
    "attribute_sources": "KIND:TYPE=ADDRESS",
    "attribute_ttl": "KIND=SECONDS",
    "entity_events": "EXCHANGE/FAMILY=KIND:TYPE",
}
_CONFIG = f"{PREFIX}CONFIG"

ALIKE = 0.8  # of 1: how near a name must be to be a misspelt one
# Variables of the package that are no settings of the sidecar.
OTHERS = {
    f"{PREFIX}{name}"
    for name in ("CONFIG", "TOKEN", "PURE", "DEBUG", "CACHE", "DSN", "PUBLIC", "SIGN_KEY")
}


def add_flags(
    parser: argparse.ArgumentParser, names: Container[str] = Settings.model_fields
) -> None:
    """A flag for every setting, or for those of some names, and `--config`. What is not given
    is left to the environment, and then to the file."""
    parser.add_argument(
        "--config",
        type=Path,
        default=os.environ.get(_CONFIG),
        metavar="FILE",
        help="YAML file of settings, each by its flag's name with `_` for `-` (default: none)",
    )
    groups: dict[str, argparse._ArgumentGroup] = {}
    for name, field in Settings.model_fields.items():
        if name not in names:
            continue
        title = _subject(name)
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        several = isinstance(field.default, tuple)
        default = ", ".join(field.default) if several else field.default
        if default is None or default == "":
            default = "none"
        if isinstance(default, bool):
            default = str(default).lower()
        groups[title].add_argument(
            _flag(name),
            action="append" if several else "store",
            default=argparse.SUPPRESS,
            metavar=METAVARS.get(name) or _metavar(name, field),
            help=f"{field.description} (default: {default})",
        )


def _subject(name: str) -> str:
    """What the part of the settings is about in which one stands."""
    (part,) = (
        each for each in Settings.__mro__ if name in each.__dict__.get("__annotations__", ())
    )
    return (part.__doc__ or "").rstrip(".").lower()


def _metavar(name: str, field: FieldInfo) -> str:
    """What stands for a value in the help: its choices, its unit, or the last word of its name."""
    kinds = get_args(field.annotation) or (field.annotation,)
    if get_origin(field.annotation) is Literal:
        return "|".join(map(str, kinds))
    if bool in kinds:
        return "true|false"
    if Path in kinds:
        return "PATH"
    if float in kinds or int in kinds:
        return "SECONDS" if "seconds" in (field.description or "") else "N"
    return name.rpartition("_")[2].upper()


def read_settings(parser: argparse.ArgumentParser, given: dict[str, Any]) -> Settings:
    """The settings from what `add_flags` added, the environment and the file. What is wrong ends
    in `parser.error`: status 2."""
    flags = {name: value for name, value in given.items() if name in Settings.model_fields}
    _refuse_misspelt(parser)
    config = given.get("config")
    filed = _read_file(parser, Path(config)) if config else {}
    # The environment stands between: what it says is not taken from the file.
    said = {name for name in filed if PREFIX + name.upper() in os.environ}
    from_file = {name: value for name, value in filed.items() if name not in said}
    try:
        return Settings(**(from_file | flags))
    except ValidationError as error:
        _refuse(parser, error.errors(), flags, from_file, str(config))


def _refuse_misspelt(parser: argparse.ArgumentParser) -> None:
    """A variable that is nearly that of a setting would be ignored, and what it should have set be
    left open. Others of the prefix are somebody else's: Kubernetes makes some of a service's
    name."""
    known = [name.upper() for name in Settings.model_fields]
    for name in sorted(os.environ.keys() - OTHERS):
        bare = name.removeprefix(PREFIX)
        if bare != name and bare not in known:
            meant = difflib.get_close_matches(bare, known, 1, ALIKE)
            if meant:
                parser.error(f"{name}: no such setting; did you mean `{PREFIX}{meant[0]}`?")


def printed(settings: Settings) -> str:
    """The settings as a `--config` file. A secret is not shown, unlike where it rests."""
    shown = settings.model_dump(mode="json")
    for name in shown:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            told = value.get_secret_value()
            shown[name] = told if told.startswith(REFERENCES) else "(not shown)"
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)


def config_schema() -> str:
    """The JSON Schema of a `--config` file, for editors."""
    schema = Settings.model_json_schema()
    schema["additionalProperties"] = False
    schema["title"] = "taskman-authz serve --config"
    return json.dumps(schema, indent=2, ensure_ascii=False)


def _read_file(parser: argparse.ArgumentParser, path: Path) -> dict[str, Any]:
    """What the file says: a mapping of settings. A name that is none is refused with its line."""
    try:
        text = path.read_text(encoding="utf-8")
        found = yaml.safe_load(text)
    except OSError as error:
        parser.error(f"--config {path}: {(error.strerror or str(error)).lower()}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        parser.error(f"--config {path}: no YAML: {' '.join(str(error).split())}")
    if found is None:
        return {}
    if not isinstance(found, dict):
        parser.error(f"--config {path}: expected a mapping, found a {type(found).__name__}")
    for name in found:
        if name not in Settings.model_fields:
            place = f"{path}:{_line_of(text, str(name))}"
            parser.error(f"--config {place}: `{name}` is no setting; `serve --help` lists them")
    return found


def _line_of(text: str, name: str) -> int:
    found = re.search(rf"^{re.escape(name)}\s*:", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _refuse(
    parser: argparse.ArgumentParser,
    errors: Sequence[Any],
    flags: dict[str, Any],
    from_file: dict[str, Any],
    config: str,
) -> NoReturn:
    sentences = []
    for error in errors:
        name = str(error["loc"][0])
        place = PREFIX + name.upper()
        if name in flags:
            place = _flag(name)
        elif name in from_file:
            place = f"{config}: {name}"
        message = error["msg"].removeprefix("Value error, ")
        sentences.append(f"{place}: {message[:1].lower()}{message[1:]}")
    parser.error("; ".join(sentences))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
