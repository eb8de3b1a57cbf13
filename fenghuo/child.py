"""Becomes another program that ends together with its parent: `child.py PARENT SIGNAL USER COMMAND…`.

Run by path in a bare interpreter (`-I -S`), so the standard library is all there is. It stands between fork and exec because
a `preexec_fn` runs Python in a copy of a process with threads, which may hang. Linux only.

USER, if not empty, takes effect when root runs this: PostgreSQL refuses to run as root. The one right kept is
CAP_DAC_OVERRIDE, or the server could not enter folders below /root or pytest's; loosening the modes of such folders, as
wheels with PostgreSQL do, changes what the operator set and did not ask to change.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def end_with(parent: int, number: int) -> None:
    """Ask the kernel for a signal when the parent is gone; leave at once if it is gone already."""
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(128 + number)


def become(name: str) -> None:
    """Change from root to this account for good, keeping the right to enter any folder where the machine grants it."""
    account = pwd.getpwnam(name)
    _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    right = 1 << CAP_DAC_OVERRIDE
    data = (ctypes.c_uint32 * 6)(
        right, right, right, 0, 0, 0
    )  # effective, permitted, inheritable; low, then high
    _libc.capset(header, data)
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main(arguments: list[str]) -> None:
    """Arrange for the end, change the account, and become the command."""
    parent, number, user, *command = arguments
    if user and os.geteuid() == 0:
        become(user)
    end_with(int(parent), signal.Signals(int(number)))  # last: changing the account forgets it
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
