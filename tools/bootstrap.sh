#!/bin/sh
# Makes this checkout ready: virtual environment, dependencies, compiled core. Safe to run again at
# any time; where nothing changed it ends within a fraction of a second.
#
#   tools/bootstrap.sh              what every target needs
#   tools/bootstrap.sh bench        and the peers that the benchmarks measure
#   tools/bootstrap.sh servers      and the servers that tests talk to
#   tools/bootstrap.sh bench-sidecar   and h2load, which asks the sidecar
#
# PYTHON=...               the interpreter to use (default: python3, if it is 3.11 or later)
# TASKMAN_AUTHZ_PURE=1     do not compile; use the plain Python twin of the core
#
# Laws: it says what it does and how long each step took; what it cannot do it says exactly, with
# the packages that are missing. Only as root, and only on Debian and Ubuntu, does it install
# packages of the system. A missing compiler costs speed and is said loudly; anything else missing
# ends it.
set -eu
cd "$(dirname "$0")/.."

VENV=.venv
CORE=src/taskman_authz/_fast
TRANSPORT=sidecar/http2
LOG=.cache/bootstrap.log

say() { printf '%s\n' "$*"; }

fail() {
    printf '\nbootstrap: %s\n' "$@" >&2
    exit 1
}

# step "what it is" command...: runs it with its output in the log, shows the time it took, and
# shows the end of the output where it failed.
step() {
    what=$1
    shift
    start=$(date +%s)
    printf '==> %s\n' "$what"
    "$@" >"$LOG" 2>&1 </dev/null &
    pid=$!
    trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
    shown=0
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        elapsed=$(($(date +%s) - start))
        if [ "$elapsed" -ge $((shown + 10)) ]; then
            printf '    %s s ... %s\n' "$elapsed" "$(last_line)"
            shown=$elapsed
        fi
    done
    status=0
    wait "$pid" || status=$?
    trap - INT TERM
    if [ "$status" -ne 0 ]; then
        printf '    failed after %s s; the end of its output:\n' $(($(date +%s) - start))
        tail -n 25 "$LOG" | sed 's/^/    | /'
        return "$status"
    fi
    printf '    done in %s s\n' $(($(date +%s) - start))
}

last_line() { tail -n 1 "$LOG" 2>/dev/null | tr '\r' '\n' | tail -n 1 | cut -c 1-70; }

# -- what there is -----------------------------------------------------------------------------

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

choose_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if new_enough "$candidate"; then
            PYTHON=$candidate
            return
        fi
    done
    fail "Python 3.11 or later is needed; ${PYTHON:-python3} is: $("${PYTHON:-python3}" --version 2>&1 || true)." \
        "Install one (Debian 12 and Ubuntu 24.04 have it as python3) and name it: PYTHON=/path/to/python3.12 make run"
}

has_venv() { "$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# Tried, not guessed: a compiler without the C library's headers is no use.
compiles() { printf '#include <%s>\n' "$1" | "${CC:-cc}" -x c -fsyntax-only -I "$(headers)" - >/dev/null 2>&1; }

headers() { "$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("include"))'; }

is_debian() { command -v apt-get >/dev/null 2>&1; }

# The package that adds "$1" (venv, dev) to this interpreter: that of the default python3, or that
# of a python3.x beside it.
package_for() {
    version='import sys; print("%d.%d" % sys.version_info[:2])'
    if [ "$(/usr/bin/python3 -c "$version" 2>/dev/null)" = "$("$PYTHON" -c "$version")" ]; then
        printf 'python3-%s' "$1"
    else
        printf 'python%s-%s' "$("$PYTHON" -c "$version")" "$1"
    fi
}

# Tried as well: what the sidecar's transport on libnghttp2 is compiled with.
has_nghttp2() { echo '#include <nghttp2/nghttp2.h>' | "${CC:-cc}" -x c -fsyntax-only - >/dev/null 2>&1; }

# Sets MISSING to the Debian packages that have to be there, WANTED to those that only add speed,
# USEFUL to those without which a part of the sidecar is another one.
look_around() {
    MISSING=
    WANTED=
    USEFUL=
    if ! command -v uv >/dev/null 2>&1 && [ ! -x "$VENV/bin/uv" ] && ! has_venv; then
        MISSING=$(package_for venv)
    fi
    [ "${TASKMAN_AUTHZ_PURE:-}" != 1 ] || return 0
    compiles stdio.h || WANTED="gcc libc6-dev"
    [ -f "$(headers)/Python.h" ] || WANTED="${WANTED:+$WANTED }$(package_for dev)"
    has_nghttp2 || USEFUL=libnghttp2-dev
}

# -- what is missing ---------------------------------------------------------------------------

apt_install() {
    # RUNLEVEL=1 keeps a package that is a service from being started.
    export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
    apt-get update -q || say "apt-get update failed; going on with the lists that are there"
    apt-get install -q -y --no-install-recommends "$@"
}

supply() {
    if is_debian && [ "$(id -u)" = 0 ]; then
        # shellcheck disable=SC2086  # lists of packages
        [ -z "$MISSING" ] || step "installing $MISSING (apt-get)" apt_install $MISSING || true
        # shellcheck disable=SC2086
        [ -z "$WANTED" ] || step "installing $WANTED (apt-get)" apt_install $WANTED || true
        [ -z "$USEFUL" ] || step "installing $USEFUL (apt-get)" apt_install $USEFUL || true
        [ -z "$MISSING$WANTED$USEFUL" ] || look_around
    fi
    [ -z "$MISSING" ] || refuse
    [ -z "$WANTED" ] || warn_pure
    [ -z "$USEFUL" ] || say "!!  without $USEFUL the sidecar serves on grpcio, not on libnghttp2"
}

refuse() {
    if is_debian; then
        fail "missing: $MISSING" "as root: apt-get install --no-install-recommends $MISSING $WANTED"
    fi
    fail "Python's venv module with ensurepip is missing ($PYTHON -m venv does not work)." \
        "Install it the way this system does, or install uv (https://docs.astral.sh/uv/), and start again."
}

warn_pure() {
    say ""
    say "!!  NO C COMPILER, OR NO PYTHON HEADERS: using the plain Python twin of the core."
    say "!!  Decisions are the same, many times slower."
    if is_debian; then
        say "!!  as root: apt-get install --no-install-recommends $WANTED"
    else
        say "!!  missing: a C compiler (cc) or the header Python.h of $PYTHON"
    fi
    say ""
}

# -- the virtual environment --------------------------------------------------------------------

# What has to be installed again when it changes.
dependencies_now() { { pwd; "$VENV/bin/python" --version; cat pyproject.toml setup.py; } 2>&1 | cksum; }

make_venv() {
    if new_enough "$VENV/bin/python" && [ "$(cat "$VENV/.home" 2>/dev/null || pwd)" = "$(pwd)" ]; then
        return 0
    fi
    rm -rf "$VENV"
    if command -v uv >/dev/null 2>&1; then
        step "making $VENV" uv venv --python "$PYTHON" "$VENV"
    else
        step "making $VENV" "$PYTHON" -m venv "$VENV"
    fi
    pwd >"$VENV/.home" # the scripts of a virtual environment hold its path: it cannot be moved
}

find_uv() {
    if [ ! -x "$VENV/bin/uv" ] && command -v uv >/dev/null 2>&1; then
        UV=$(command -v uv)
        return
    fi
    UV=$VENV/bin/uv
    [ -x "$UV" ] || step "installing uv" "$VENV/bin/python" -m pip install --disable-pip-version-check uv
}

# uv reads none of pip's configuration: a mirror that is set for pip is handed over. Where pip only
# warns of a folder that is not there, uv ends, so such folders are left out.
pip_setting() {
    for value in $("$VENV/bin/python" -m pip config get "global.$1" 2>/dev/null); do
        case $value in
            file://* | /*) [ ! -e "${value#file://}" ] || printf '%s ' "$value" ;;
            *) printf '%s ' "$value" ;;
        esac
    done
}

hand_over() {
    index=$(pip_setting index-url)
    extra=$(pip_setting extra-index-url)
    links=$(pip_setting find-links)
    cert=$(pip_setting cert)
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-${index% }}"
    [ -z "$links" ] || export UV_FIND_LINKS="${UV_FIND_LINKS:-${links% }}"
    [ -z "$cert" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-${cert% }}"
    if [ -n "$extra" ]; then
        export UV_INDEX="${UV_INDEX:-${extra% }}" UV_INDEX_STRATEGY="${UV_INDEX_STRATEGY:-unsafe-best-match}"
    fi
}

install() { "$UV" pip install --python "$VENV/bin/python" "$@"; }

install_dependencies() {
    install --compile-bytecode -r pyproject.toml --extra dev || return 1
    # The package itself: a pointer to src/ and sidecar/. The core is a step of its own.
    TASKMAN_AUTHZ_PURE=1 install --no-deps --no-build-isolation -e .
}

dependencies_are_fresh() { [ "$(cat "$VENV/.dependencies" 2>/dev/null)" = "$(dependencies_now)" ]; }

dependencies() {
    if dependencies_are_fresh; then
        return 0
    fi
    find_uv
    hand_over
    step "installing dependencies" install_dependencies
    dependencies_now >"$VENV/.dependencies"
}

# The peers of the benchmarks; where one cannot be had here, the benchmarks say so.
peers() {
    wanted=$(cksum <pyproject.toml)
    if [ "$(cat "$VENV/.bench" 2>/dev/null)" = "$wanted" ]; then
        return 0
    fi
    find_uv
    hand_over
    step "installing the peers of the benchmarks" install --compile-bytecode --group bench
    say "$wanted" >"$VENV/.bench"
}

# -- the servers, and the client, that tests talk to --------------------------------------------

# Each by the file that a test starts; the newest major version that the system has.
lacking_servers() {
    set -- /usr/lib/postgresql/*/bin/initdb
    [ -x "$1" ] || command -v initdb >/dev/null 2>&1 || printf 'postgresql '
    command -v redis-server >/dev/null 2>&1 || printf 'redis-server '
    set -- /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server
    [ -f "$1" ] || printf 'rabbitmq-server '
    command -v promtool >/dev/null 2>&1 || printf 'prometheus '
    command -v nghttp >/dev/null 2>&1 || printf 'nghttp2-client '
}

# The tests that need one that is not there skip, and say so.
servers() {
    lacking=$(lacking_servers)
    [ -n "$lacking" ] || return 0
    if is_debian && [ "$(id -u)" = 0 ]; then
        # shellcheck disable=SC2086  # a list of packages
        step "installing $lacking(apt-get)" apt_install $lacking || true
        lacking=$(lacking_servers)
        [ -n "$lacking" ] || return 0
    fi
    say "!!  missing: $lacking- the tests that talk to them are skipped"
    ! is_debian || say "!!  as root: RUNLEVEL=1 apt-get install --no-install-recommends $lacking"
}

# The load generator of the benchmarks of the sidecar.
loader() {
    if command -v h2load >/dev/null 2>&1; then
        return 0
    fi
    if is_debian && [ "$(id -u)" = 0 ]; then
        step "installing nghttp2-client (apt-get)" apt_install nghttp2-client
        return
    fi
    fail "missing: h2load" "as root, on Debian or Ubuntu: apt-get install --no-install-recommends nghttp2-client"
}

# -- the core -----------------------------------------------------------------------------------

core_now() { { pwd; "$VENV/bin/python" --version; has_nghttp2 && echo nghttp2; cat setup.py "$TRANSPORT"/*.p[yx]* "$CORE"/*.py "$CORE"/*.pxd "$CORE"/native/*.pxd; } 2>&1 | cksum; }

core_is_fresh() {
    set -- "$CORE"/*.so
    [ -f "$1" ] && [ "$(cat "$VENV/.core" 2>/dev/null)" = "$(core_now)" ] || return 1
    # The core itself refuses libraries older than their sources, so times count too. (The build
    # gives all libraries one time.)
    [ -z "$(find "$CORE" \( -name '*.py' -o -name '*.pxd' \) -newer "$1")" ]
}

build_core() { "$VENV/bin/python" setup.py -q build_ext --inplace; }

core() {
    if [ "${TASKMAN_AUTHZ_PURE:-}" = 1 ] || core_is_fresh; then
        return 0
    fi
    drop_orphans
    if [ -n "$WANTED" ]; then
        rm -f "$CORE"/*.so # they are older than their sources, and would be refused
        return 0
    fi
    before=$(core_now)
    step "compiling the core (the first time takes a minute or two)" build_core
    say "$before" >"$VENV/.core"
}

# A library whose source is gone, or that was compiled while it had a header, is no part of the core.
drop_orphans() {
    for library in "$CORE"/*.so; do
        name=$(basename "$library")
        [ -f "$CORE/${name%%.*}.pxd" ] || rm -f "$library"
    done
}

# -- the road -----------------------------------------------------------------------------------

mkdir -p .cache
if command -v flock >/dev/null 2>&1; then
    exec 9>.cache/bootstrap.lock
    flock 9
fi
if ! { dependencies_are_fresh && { [ "${TASKMAN_AUTHZ_PURE:-}" = 1 ] || core_is_fresh; }; }; then
    choose_python
    look_around
    supply
    make_venv
    dependencies
    core
fi
case ${1:-} in
    bench) peers ;;
    servers) servers ;;
    bench-sidecar) loader ;;
esac
