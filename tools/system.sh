#!/usr/bin/env bash
# system.sh LIST...: sees that the system packages of the lists are there: build, page, test, sanitize, check, fuzz, bench.
# As root, or with sudo that asks nothing, it installs what is missing by apt-get; else it says what is missing and how to
# install it, and fails. Each need is a Debian package and a command that succeeds where it is met in whatever way.
set -euo pipefail

PYTHON=${PYTHON:-python3}
missing=()

need() { # PACKAGE COMMAND...
    "${@:2}" >/dev/null 2>&1 || missing+=("$1")
}

has_headers() { # HEADER...
    printf '#include <%s>\n' "$@" | cc -E -x c -
}

has_static_library() { # NAME
    echo 'int main(void) { return 0; }' | cc -x c - -o /dev/null -l":lib$1.a"
}

has_fuzzer() {
    echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang-14 -fsanitize=fuzzer -x c - -o /dev/null
}

node_is() { # MAJOR
    node -e "process.exit(Number(parseInt(process.versions.node) < $1))"
}

python_can() { # EXPRESSION
    command -v "$PYTHON" && "$PYTHON" -c "assert $1"
}

look() { # LIST
    case $1 in
    build)
        need gcc command -v cc
        need libc6-dev has_headers stdio.h
        need cmake command -v cmake
        need ninja-build command -v ninja
        need zlib1g-dev has_static_library z
        need libncurses-dev has_static_library ncursesw
        need libevent-dev has_static_library event_extra
        look page # which goes into the command
        need python3 python_can '__import__("sys").version_info >= (3, 9)'
        need python3-venv python_can '__import__("ensurepip") and __import__("venv")'
        need python3-dev python_can \
            '__import__("os").path.exists(__import__("sysconfig").get_path("include") + "/Python.h")'
        need ca-certificates test -s /etc/ssl/certs/ca-certificates.crt
        ;;
    page)
        need nodejs node_is 18
        need npm command -v npm
        ;;
    test)
        look build
        need libcmocka-dev has_headers stdarg.h stddef.h setjmp.h stdint.h cmocka.h
        need pkg-config command -v pkg-config
        need procps command -v ps
        need chromium command -v chromium
        need golang-go command -v go # go tool pprof
        need valgrind command -v callgrind_annotate
        ;;
    sanitize)
        look test
        need valgrind command -v valgrind
        ;;
    check)
        look test
        need clang-format-14 command -v clang-format-14
        need clang-tidy-14 command -v clang-tidy-14
        need cppcheck command -v cppcheck
        ;;
    fuzz)
        look build
        need clang-14 command -v clang-14
        need libclang-rt-14-dev has_fuzzer
        ;;
    bench)
        look build
        need protobuf-compiler command -v protoc
        need wrk command -v wrk
        ;;
    *)
        echo "system.sh: no list named '$1'" >&2
        exit 2
        ;;
    esac
}

look_at_all() {
    missing=()
    for list in "$@"; do
        look "$list"
    done
    # Each once, in order.
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | awk 'NF && !seen[$0]++')
}

install_missing() { # COMMAND-PREFIX...
    local log
    log=$(mktemp)
    echo "Installing: ${missing[*]}"
    if ! { "$@" apt-get -q update && "$@" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
        install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "system.sh: apt-get failed" >&2
    fi
    rm -f "$log"
}

say_and_fail() {
    {
        echo "These Debian packages are missing: ${missing[*]}"
        echo "Install them as root, then try again:"
        echo "    apt-get install --no-install-recommends ${missing[*]}"
        echo "(Python is '$PYTHON': CPython 3.9 or later with venv and Python.h; PYTHON=... names another one.)"
    } >&2
    exit 1
}

look_at_all "$@"
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null; then
    say_and_fail
elif [ "$(id -u)" -eq 0 ]; then
    install_missing env
elif sudo -n true 2>/dev/null; then
    install_missing sudo -n
else
    say_and_fail
fi
look_at_all "$@"
[ ${#missing[@]} -eq 0 ] || say_and_fail
