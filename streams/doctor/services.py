"""Redis, the Schema Registry and Alertmanager: each may be missing, at a cost that is named."""

from typing import Any, cast

import httpx
import redis

from streams.doctor.line import Line, fail, ok, warn
from streams.index.connection import IndexMissing, IndexUnreachable, connect
from streams.notify import alertmanager
from streams.settings import Settings

TIMEOUT_S = 5.0
OLDEST_REDIS = (6, 2)


def check_redis(settings: Settings) -> list[Line]:
    """Whether the index can be kept."""
    try:
        client = connect(settings)
        server = client.info("server")
        memory = client.info("memory")
    except IndexMissing:
        mend = "set HEADWATER_REDIS_URL to have `headwater trace` and the list of affected predictions"
        return [warn("redis", "none configured: there is no index", mend)]
    except (redis.RedisError, IndexUnreachable) as error:
        return [fail("redis", f"cannot be used: {error}", "check HEADWATER_REDIS_URL; alerts do not depend on it")]
    version = str(server.get("redis_version", "0.0"))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        return [fail("redis", f"version {version} is too old", "use Redis 6.2 or newer, or Valkey")]
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    if memory.get("maxmemory") and policy != "noeviction":
        text = f"{version} evicts keys when full ({policy}): parts of the index may be missing"
        return [
            warn("redis", text, "CONFIG SET maxmemory-policy noeviction, or a lower HEADWATER_INDEX_RETENTION_DAYS")
        ]
    used = int(memory.get("used_memory", 0)) / 1e6
    return [ok("redis", f"version {version}, {used:,.0f} MB used")]


def check_registry(settings: Settings) -> list[Line]:
    """Whether the Schema Registry answers, where one is configured."""
    url = settings.schema_registry_url
    if url is None:
        return [ok("registry", "none configured: events in the Confluent wire format would be dead letters")]
    auth = settings.schema_registry_auth
    credentials = tuple(auth.get_secret_value().split(":", 1)) if auth else None
    try:
        answer = httpx.get(f"{url.rstrip('/')}/subjects", auth=cast(Any, credentials), timeout=TIMEOUT_S)
        answer.raise_for_status()
        subjects = len(answer.json())
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
        mend = "check HEADWATER_SCHEMA_REGISTRY_URL and _AUTH: until it answers, such events wait"
        return [fail("registry", f"cannot be used: {error}", mend)]
    return [ok("registry", f"answers, with {subjects} subjects")]


def check_alertmanager(settings: Settings) -> list[Line]:
    """Whether Alertmanager answers, where one is configured."""
    try:
        client = alertmanager.connect(settings)
        if client is None:
            return [ok("alertmanager", "none configured: alerts go to their topic only")]
        with client:
            return [ok("alertmanager", f"version {client.version()}")]
    except (alertmanager.Unreachable, alertmanager.Refused, httpx.InvalidURL) as error:
        return [fail("alertmanager", str(error), "check HEADWATER_ALERTMANAGER_URL; alerts reach their topic anyway")]
