#!/bin/sh
# Compiles the core and the sidecar's transport so that they look for their own faults, and runs the
# tests that are named.
#
#   tools/sanitize.sh checks TESTS...     every check of Cython: bounds, None, members not yet set
#   tools/sanitize.sh address TESTS...    AddressSanitizer (gcc's): reads and writes of what is not ours
#   tools/sanitize.sh valgrind TESTS...   the same, in libraries too; thirty times slower
#
# Laws: it works in a copy, made anew every time, so that the core of the checkout stays as it is and
# nothing stale is tested. It fails where a test fails, and where a sanitizer found something.
set -eu
cd "$(dirname "$0")/.."

mode=$1
shift
copy=.cache/sanitize/$mode
python=$PWD/.venv/bin/python

rm -rf "$copy"
mkdir -p "$copy"
tar -cf - --exclude='*.so' --exclude=__pycache__ \
    setup.py pyproject.toml README.md src sidecar policies tests tools | tar -xf - -C "$copy"
cd "$copy"
export TASKMAN_AUTHZ_DEBUG="$mode"
echo "==> compiling the core for '$mode'"
"$python" setup.py -q build_ext --inplace >build.log 2>&1 || { tail -n 25 build.log; exit 1; }
ln -s ../sidecar src/taskman_authz_sidecar # or that of the checkout would be imported

if [ "$mode" = address ]; then
    # C++ too, or else the sanitizer does not know what the libraries throw. Python's own allocator
    # would hide what is freed; it never frees all at its end, which is no leak of ours.
    LD_PRELOAD="$(cc -print-file-name=libasan.so) $(cc -print-file-name=libstdc++.so)"
    export LD_PRELOAD PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0
fi
echo "==> running $*"
if [ "$mode" = valgrind ]; then
    # Values that were never written are no findings: CPython's own zero has a digit of that kind.
    export PYTHONMALLOC=malloc
    PYTHONPATH=$PWD/src exec valgrind --quiet --error-exitcode=99 --undef-value-errors=no \
        --suppressions=tools/valgrind.supp \
        --child-silent-after-fork=yes \
        "$python" -m pytest -q "$@"
fi
PYTHONPATH=$PWD/src exec "$python" -m pytest -q "$@"
