"""What a database says when it fails, as one sentence with its cure.

Everything that leaves this package passes `translated`. No sentence holds an address with its password, an SQL
statement or a parameter; the error that it came from is kept as the cause.
"""

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from bot.core.errors import StoreUnavailable

_ADDRESS: Final = "Check STEERSMAN_DATABASE_URL."
_SPACE: Final = "Make room; nothing that was confirmed is lost, and Steersman goes on by itself."
_RIGHTS: Final = "Steersman's user needs to write to it: mend its owner and rights, or mount it writable."
_BACKUP: Final = "Stop Steersman, keep a copy of the file for study, and put a backup in its place."

# By SQLite's primary result code (https://www.sqlite.org/rescode.html).
_SQLITE: Final[Mapping[int, tuple[str, str]]] = {
    sqlite3.SQLITE_BUSY: ("is locked by another program", "Close whatever else has the file open."),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", "Close whatever else has the file open."),
    sqlite3.SQLITE_READONLY: ("cannot be written: it is read-only", _RIGHTS),
    sqlite3.SQLITE_PERM: ("cannot be written: its rights forbid it", _RIGHTS),
    sqlite3.SQLITE_FULL: ("cannot be written: the disk is full", _SPACE),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _BACKUP),
    sqlite3.SQLITE_NOTADB: ("is no database, or is damaged", f"{_ADDRESS} {_BACKUP}"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", f"{_ADDRESS} {_RIGHTS}"),
    sqlite3.SQLITE_IOERR: ("cannot be read or written: the disk fails", "Look at the machine's disk and its log."),
}

# By SQLSTATE, or by its class where only that counts (PostgreSQL's Appendix A).
_POSTGRES: Final[Mapping[str, tuple[str, str]]] = {
    "25006": ("cannot be written: the server is read-only", "Point STEERSMAN_DATABASE_URL at the primary server."),
    "28": ("refuses the login", "Check the user and the password in STEERSMAN_DATABASE_URL."),
    "3D": ("does not exist on that server", f"Create it (createdb). {_ADDRESS}"),
    "40": ("was asked for the same thing by several at once", "Try again."),
    "42501": ("refuses what Steersman needs to do", "Its user must own the database, or have CREATE on its schema."),
    "53100": ("cannot be written: the server's disk is full", _SPACE),
    "53300": ("has no connection left", "Raise max_connections, or put a pooler before it."),
    "53": ("is out of resources", "Look at the server's memory and limits."),
    "55P03": ("is locked by somebody else", "Look in pg_stat_activity for who holds the lock."),
    "57014": ("did not answer in time", "Look at the server's load, and in pg_stat_activity for who holds a lock."),
    "57P": ("is shutting down, starting, or ended the connection", "Steersman goes on when the server is back."),
    "58": ("fails on its own disk", "Look at the server's log."),
    "XX": ("is damaged, or its server has a bug", "Look at the server's log."),
}

# A connection that was never made has no SQLSTATE (psycopg has only libpq's text). The server may speak another
# language: then the general sentence stands.
_CONNECTING: Final[Mapping[str, tuple[str, str]]] = {
    "password authentication failed": _POSTGRES["28"],
    "no password supplied": _POSTGRES["28"],
    "no pg_hba.conf entry": ("lets nobody in from here", "Add this machine to the server's pg_hba.conf."),
    'role "': _POSTGRES["28"],
    "permission denied": _POSTGRES["42501"],
    "not currently accepting connections": _POSTGRES["57P"],
    'database "': _POSTGRES["3D"],
    "too many clients": _POSTGRES["53300"],
    "remaining connection slots": _POSTGRES["53300"],
    "the database system is": _POSTGRES["57P"],
    "certificate verify failed": ("shows a certificate that is not trusted", "Name its CA with ?sslrootcert=FILE."),
    "does not support SSL": ("does not speak TLS", "Let the server speak TLS, or mend sslmode in the address."),
    "could not translate host name": ("is on a host whose name nobody knows", _ADDRESS),
    "failed to resolve host": ("is on a host whose name nobody knows", _ADDRESS),
    "Name or service not known": ("is on a host whose name nobody knows", _ADDRESS),
    "Connection refused": ("has no server at that address", f"Start the server. {_ADDRESS}"),
}


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn what a database, a disk or a deadline raises into StoreUnavailable. `name` is the database for a reader.

    What can only be a bug (a constraint that is broken, a statement that is wrong) stays what it is.
    """
    try:
        yield
    except exc.DBAPIError as error:
        sentence = _said(error)
        if sentence is None:
            raise
        raise unavailable(name, *sentence) from error
    except exc.SQLAlchemyError as error:
        if not isinstance(error, exc.TimeoutError):
            raise
        raise unavailable(name, *_SLOW) from error
    except TimeoutError as error:
        raise unavailable(name, *_SLOW) from error
    except OSError as error:
        raise unavailable(name, *_of_disk(error)) from error


_SLOW: Final = ("did not answer in time", "Look at its machine's load. Steersman goes on by itself.")


def unavailable(name: str, what: str, cure: str) -> StoreUnavailable:
    return StoreUnavailable(f"The database {name} {what}.", hint=cure)


def _said(error: exc.DBAPIError) -> tuple[str, str] | None:
    origin = error.orig
    code: object = getattr(origin, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF)
    state = getattr(origin, "sqlstate", None)
    if isinstance(state, str):
        return next((_POSTGRES[key] for key in (state, state[:3], state[:2]) if key in _POSTGRES), None)
    if isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated:
        text = str(origin)
        general = ("cannot be reached, or broke off", f"Steersman goes on when it is back. {_ADDRESS}")
        return next((said for words, said in _CONNECTING.items() if words in text), general)
    return None


def _of_disk(error: OSError) -> tuple[str, str]:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return _SQLITE[sqlite3.SQLITE_FULL]
        case errno.EROFS:
            return _SQLITE[sqlite3.SQLITE_READONLY]
        case errno.EACCES | errno.EPERM:
            return _SQLITE[sqlite3.SQLITE_PERM]
        case errno.ENOENT | errno.ENOTDIR | errno.EISDIR | errno.EEXIST:
            return _SQLITE[sqlite3.SQLITE_CANTOPEN]
    return "cannot be reached, or broke off", f"Steersman goes on when it is back. {_ADDRESS}"
