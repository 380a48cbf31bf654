"""What `/metrics` of a sidecar says, read as Prometheus reads it."""

from __future__ import annotations

from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.sidecar.process import PATIENCE

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples_of(text: str) -> Samples:
    """Every sample by its name and its labels but `service`."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = frozenset((k, v) for k, v in sample.labels.items() if k != "service")
            assert (sample.name, labels) not in found
            found[sample.name, labels] = sample.value
    return found


def look(address: str) -> Samples:
    """The samples that are served at an address."""
    with urlopen(address, timeout=PATIENCE) as answer:
        return samples_of(answer.read().decode())


def value(samples: Samples, name: str, **labels: str) -> float:
    """That of the sample with these labels."""
    return samples[name, frozenset(labels.items())]
