"""A broker that asks who may do what, and a way to forbid things on it."""

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public there, says its manual
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

GUARDED = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
    "super.users": "User:somebody-else",
}


def forbid(bootstrap: str, operation: AclOperation, kind: ResourceType, name: str) -> None:
    """Allow the anonymous client everything on a resource but one thing."""
    client = AdminClient({"bootstrap.servers": bootstrap})
    rules = [(AclOperation.ALL, AclPermissionType.ALLOW), (operation, AclPermissionType.DENY)]
    acls = [
        AclBinding(kind, name, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", operation, permission)
        for operation, permission in rules
    ]
    for future in client.create_acls(acls).values():
        future.result(15)
