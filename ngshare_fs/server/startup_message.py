"""What the server says of itself once it serves."""

import os
import pwd
import shlex
import socket
import sys
from urllib.parse import quote

from ngshare_fs import __version__
from ngshare_fs.file_systems.mounted import file_system_of
from ngshare_fs.file_systems.several_machines import sharing_of
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.server.sockets import url_of
from ngshare_fs.settings import PROGRAM, Settings
from ngshare_fs.terminal.logs import LOG

NOT_FOR_PRODUCTION = "stand-alone mode is NOT FOR PRODUCTION: whoever the parameter `user` names is believed"


NO_ADMINS = "nobody: name them with --admins, else no course can be created"
NO_GROUPS = "stand-alone, nobody is in a group, for JupyterHub would say it; so these have no effect: "


def announce(settings: Settings, listener: socket.socket) -> None:
    """Say what is served, where and as whom; in stand-alone mode also how to try it, and the warning."""
    url = url_of(listener, settings.prefix)
    admins = sorted(settings.admins)
    user = _unix_user()
    nobody = "nobody" if settings.course_creators.users | settings.course_creators.groups else NO_ADMINS
    somebody = quote(admins[0] if admins else "student", safe="")
    sharing = _sharing(settings)
    trial = "curl " + shlex.quote(f"{url}courses?user={somebody}")
    if settings.log_format == "json":
        fields: dict[str, object] = {"url": url, "data": str(settings.data), "admins": admins, "unix_user": user}
        fields |= {"workers": settings.workers, "version": __version__}
        LOG.info("%s %s serves %s", PROGRAM, __version__, url, extra={"fields": fields})
        if sharing:
            LOG.info("%s", sharing)
        if settings.standalone:
            LOG.warning(NOT_FOR_PRODUCTION, extra={"fields": {"try": trial}})
            if settings.options_with_groups:
                LOG.warning("%s%s", NO_GROUPS, ", ".join(settings.options_with_groups))
        return
    rows = [
        ("data", str(settings.data)),
        ("as", f"{user}, {settings.workers} process{'es' if settings.workers > 1 else ''}"),
        ("admins", ", ".join(admins) or nobody),
    ]
    if sharing:
        rows.insert(1, ("", sharing))
    if settings.standalone:
        rows += [("try", trial), ("stop", "Ctrl-C"), ("", ""), ("WARNING", NOT_FOR_PRODUCTION)]
        if settings.options_with_groups:
            rows.append(("", NO_GROUPS + ", ".join(settings.options_with_groups)))
    lines = [f"{PROGRAM} {__version__} serves {url}"]
    lines += [f"  {name:<8} {value}".rstrip() for name, value in rows]
    sys.stderr.write("\n".join(lines) + "\n\n")
    sys.stderr.flush()


def _sharing(settings: Settings) -> str:
    """What to know before a server is started on another machine, too; empty where nothing is known against that."""
    try:
        mounted = file_system_of(str(settings.data))
    except OSError:
        return ""  # it was there a moment ago: requests will say what is wrong
    sharing = sharing_of(mounted)
    return in_one_line(f"{mounted}; {sharing.why}: {sharing.remedy}") if sharing.may is False else ""


def _unix_user() -> str:
    try:
        return f"{pwd.getpwuid(os.geteuid()).pw_name} (uid {os.geteuid()})"
    except KeyError:
        # A container may run under any number, without an entry in /etc/passwd.
        return f"uid {os.geteuid()}"
