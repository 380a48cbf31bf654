"""`taskman-authz relay`: tells the events of a database, where the sidecar is installed."""

from __future__ import annotations

from ..errors import AuthzError


def main(arguments: list[str]) -> int:
    """Hand `arguments` to the relay. Returns its exit status when it stops."""
    try:
        from taskman_authz_sidecar.relay import main as relay
    except ModuleNotFoundError as error:
        if str(error.name).startswith("taskman_authz."):
            raise  # a fault of ours, not a missing extra
        extras = "sidecar,postgres,rabbitmq"
        raise AuthzError(
            f"the relay needs `{error.name}`: pip install 'taskman-authz[{extras}]'"
        ) from None
    return int(relay(arguments))
