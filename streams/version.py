"""The version of this installation."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """The installed version, ``0`` where Headwater runs from a bare checkout."""
    try:
        return version("headwater")
    except PackageNotFoundError:
        return "0"
