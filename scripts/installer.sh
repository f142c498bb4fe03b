# Sourced by the scripts that make environments: by uv where there is one that works, else by venv and pip.
# MOLFORGE_PIP=1 keeps to pip.

if [ -z "${MOLFORGE_PIP:-}" ] && uv --version >/dev/null 2>&1; then INSTALLER=uv; else INSTALLER=pip; fi

make_environment() {  # make_environment PYTHON FOLDER
    if [ $INSTALLER = uv ] && uv venv --quiet --clear --no-project --python "$1" "$2"; then return; fi
    "$1" -m venv --clear "$2"
}

install_into() {  # install_into FOLDER ARGUMENTS...: in the words that uv pip and pip share
    local python=$1/bin/python quiet=--quiet
    shift
    if [ $INSTALLER = uv ]; then
        [ -t 2 ] && quiet=  # on a terminal uv draws its own progress
        # From another folder: the constraints of this project are for itself, not for every environment.
        if (cd / && uv pip install $quiet --python "$python" "$@"); then return; fi
        echo "uv could not install; trying with the system's certificates" >&2
        if (cd / && UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 uv pip install $quiet --python "$python" "$@"); then return; fi
        echo "uv could not install; going on with pip" >&2
        INSTALLER=pip
    fi
    "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip --upgrade >/dev/null
    # Before release 24, pip refuses a hash-pinned list in which one package asks for an extra of another.
    "$python" -m pip --version | awk '{ exit !($2 < 24) }' && "$python" -m pip install --quiet --upgrade 'pip>=24'
    "$python" -m pip install --disable-pip-version-check --progress-bar off "$@" 2>&1 | awk '
        /^(Collecting|Requirement already)/ { if (++n % 25 == 0) print "pip: " n " packages"; fflush() }
        /^Installing/ { print "pip: unpacking"; fflush() }
        /ERROR|error/ { print; fflush() }' >&2
}
