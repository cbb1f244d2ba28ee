"""Settings whose value stands in a file: SEAL_KEYS_FILE=/run/credentials/… instead of SEAL_KEYS=….

So a secret is neither in a process's environment nor in a unit file (systemd's LoadCredential, Docker's secrets). A
name's file wins over the name itself; a file that cannot be read ends the start with its path.
"""

import environ
from environ.fileaware_mapping import FileAwareMapping


class SecretFiles(FileAwareMapping):  # type: ignore[misc] # django-environ has no types
    """django-environ's mapping, without the newline that editors leave at a file's end."""

    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        return value.rstrip("\r\n")


class Env(environ.Env):  # type: ignore[misc]
    ENVIRON = SecretFiles()
