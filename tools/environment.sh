# Sourced by `serve` and `check`: makes a virtual environment that has what pyproject.toml asks for.
# shellcheck shell=sh

# The newest Python from 3.10 on; $PYTHON chooses another one.
find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3.10 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (4,))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    echo "Python 3.10 or newer is needed, and none was found; install it, or name it: PYTHON=/path/to/python $0" >&2
    return 1
}

# make_environment FOLDER EXTRA: the project, installed from this folder, with one of its extras ("" for none).
make_environment() {
    stamp="$1/installed-from"
    wanted=$(cksum pyproject.toml tools/constraints.txt; echo "$2")
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$1/bin/python" -c '' 2>/dev/null; then
        return
    fi
    python=$(find_python) || return 1
    rm -rf "$1"
    if ! "$python" -m venv "$1"; then
        echo "$python cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2
        return 1
    fi
    echo "installing into $1 ..." >&2
    install_with_uv "$1" "$2" || "$1/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint tools/constraints.txt --editable ".${2:+[$2]}" || return 1
    echo "$wanted" > "$stamp"
}

# install_with_uv FOLDER EXTRA: the same with uv, in a fraction of the time. The tests bring their own, for they make more
# environments. Fails where there is none, and where it finds no packages: it does not read pip's settings.
install_with_uv() {
    uv=uv
    if [ "$2" = test ]; then
        "$1/bin/python" -m pip install --quiet --disable-pip-version-check --constraint tools/constraints.txt uv || return 1
        uv=$1/bin/uv
    fi
    "$uv" --version >/dev/null 2>&1 || return 1
    "$uv" pip install --quiet --python "$1/bin/python" --constraint tools/constraints.txt --editable ".${2:+[$2]}"
}
