"""``python -m streams.embedded.lock``: resolve a version of Kafka anew and write the lock.

The log4j binding is no dependency of the broker but comes with Kafka's own distribution; without it nothing is logged.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import jgo
from jgo.maven import MavenContext

from streams.embedded.jars import LOCK, sha256_of

KAFKA = "org.apache.kafka:kafka_2.13"
LOGGING = "org.apache.logging.log4j"


def lines(version: str) -> Iterator[str]:
    """The lock's lines; fetches every jar afresh, for nobody else's copy is to be trusted for its sum."""
    artifacts = list(jgo.resolve(f"{KAFKA}:{version}"))
    logging = next(a.version for a in artifacts if (a.groupId, a.artifactId) == (LOGGING, "log4j-core"))
    yield "# What an embedded Kafka is made of; written by `python -m streams.embedded.lock VERSION`."
    yield 'title = "Apache Kafka"'
    yield f'version = "{version}"'
    yield "jars = ["
    with tempfile.TemporaryDirectory() as fresh:
        context = MavenContext(repo_cache=Path(fresh))
        binding = context.project(LOGGING, "log4j-slf4j-impl").at_version(logging).artifact()
        for artifact in [*artifacts, binding]:
            jar = context.project(artifact.groupId, artifact.artifactId).at_version(artifact.version).artifact()
            path = jar.resolve()
            yield (
                f'    {{ group = "{jar.groupId}", artifact = "{jar.artifactId}", version = "{jar.version}", '
                f'bytes = {path.stat().st_size}, sha256 = "{sha256_of(path)}" }},'
            )
    yield "]"


if __name__ == "__main__":
    LOCK.write_text("\n".join(lines(sys.argv[1])) + "\n")
