"""What grpcio logs, in proportion: that a client went away before it was answered is no error of
the sidecar's, and must not be one that anybody can cause."""

from __future__ import annotations

import logging


class ClientsGo(logging.Filter):
    """Makes a line of information of what grpcio tells when an answer cannot be sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Nothing is left out."""
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__name__ == "ExecuteBatchError":
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.args, record.exc_info = "an answer could not be sent", (), None
        return True
