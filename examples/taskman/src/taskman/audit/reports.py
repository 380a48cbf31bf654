"""The compliance report: what happened in a time, counted, and whether the trail is whole. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple

FORMATS = {"json": "application/json", "csv": "text/csv", "html": "text/html"}
Count = tuple[str, str, int, int]  # type, result, how many, by how many people


class Report(NamedTuple):
    """Of a company, from `since` to before `until`."""

    company_id: str
    since: datetime
    until: datetime
    counts: Sequence[Count]
    broken_at: int

    @property
    def events(self) -> int:
        """How many there were."""
        return sum(count for _, _, count, _ in self.counts)

    @property
    def verdict(self) -> str:
        """Of the trail, in words."""
        if not self.broken_at:
            return "The trail is whole: every digest is right."
        return f"The trail is broken: entry {self.broken_at} is not what was written down."


def written(report: Report, format: str) -> str:
    """The report as text."""
    return {"json": _json, "csv": _csv, "html": _html}[format](report)


def _json(report: Report) -> str:
    return json.dumps(
        {
            "company_id": report.company_id,
            "from": report.since.isoformat(),
            "until": report.until.isoformat(),
            "events": report.events,
            "is_whole": not report.broken_at,
            "broken_at": report.broken_at or None,
            "counts": [
                {"event_type": type, "result": result, "count": count, "people": people}
                for type, result, count, people in report.counts
            ],
        },
        indent=2,
    )


def _csv(report: Report) -> str:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["event_type", "result", "count", "people"])
    for type, *rest in report.counts:
        # A sheet would take it for a formula.
        rows.writerow([f"'{type}" if type[:1] in "=+-@\t\r" else type, *rest])
    return out.getvalue()


def _html(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{escape(type)}</td><td>{escape(result)}</td>"
        f"<td>{count}</td><td>{people}</td></tr>\n"
        for type, result, count, people in report.counts
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Compliance report</title>
<style>
@page {{ size: A4; margin: 2cm }}
body {{ font: 11pt sans-serif }} table {{ border-collapse: collapse; width: 100% }}
th, td {{ border-bottom: 1px solid #999; padding: 4pt; text-align: left }}
thead {{ display: table-header-group }} tr {{ break-inside: avoid }}
</style></head><body>
<h1>Compliance report</h1>
<p>Company {escape(report.company_id)}, {report.since.isoformat()} to {report.until.isoformat()}:
{report.events} events. {report.verdict}</p>
<table><thead><tr><th>Event</th><th>Result</th><th>Count</th><th>People</th></tr></thead>
<tbody>
{rows}</tbody></table>
</body></html>
"""
