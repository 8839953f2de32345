"""How the server is to run: the table of options, and where their values come from."""

from ngshare_fs.settings.options import PROGRAM
from ngshare_fs.settings.settings import CourseCreators, Hub, Settings, SettingsError
from ngshare_fs.settings.sources import read_settings

__all__ = ["PROGRAM", "CourseCreators", "Hub", "Settings", "SettingsError", "read_settings"]
