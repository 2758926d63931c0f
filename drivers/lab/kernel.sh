#!/bin/bash
# Finds or builds the user-mode kernel of the lab and prints its path on stdout; all else goes to
# stderr.
#
#   kernel.sh          a ready kernel, else builds one (some ten minutes of two processors)
#   kernel.sh --find   a ready kernel; exit 3 when there is none
#   kernel.sh --build  builds this very recipe unless it is cached, whatever else is ready
#   kernel.sh --check  only tries what a build needs: tools, source, patch and configuration
#   kernel.sh --packages   the Debian packages that a build needs
#
# A ready kernel is, in this order: $ANJU_LAB_KERNEL; the cached one of this very recipe; one that
# lies in a lab folder beside the clone. Nothing is ever written into the clone.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
series=${ANJU_LAB_SERIES:-6.12}
tarball=/usr/src/linux-source-$series.tar.xz
packages=(gcc make flex bison bc xz-utils patch perl "linux-source-$series")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/anju/lab

say() { echo "lab kernel: $*" >&2; }
fail() { say "$*"; exit 1; }

# Whether a kernel has all that kernel.config asks for; each tells its own configuration.
fits() {
    local has
    has=$("$1" --showconfig 2>/dev/null) || return 1
    ! grep '^CONFIG_' "$here/kernel.config" | grep -qvxF -f <(grep '^CONFIG_' <<<"$has")
}

find_ready() {
    if [[ -n ${ANJU_LAB_KERNEL:-} ]]; then
        [[ -x $ANJU_LAB_KERNEL ]] ||
            fail "ANJU_LAB_KERNEL is $ANJU_LAB_KERNEL, which is no program; name the kernel or unset it"
        fits "$ANJU_LAB_KERNEL" ||
            fail "ANJU_LAB_KERNEL is $ANJU_LAB_KERNEL, which lacks what kernel.config asks for; unset it"
        echo "$ANJU_LAB_KERNEL"
        return
    fi
    local candidate
    for candidate in "$cached" "$here/../../../shared/lab/uml/linux-um"; do
        [[ -x $candidate ]] || continue
        if fits "$candidate"; then
            realpath "$candidate"
            return
        fi
        say "$candidate lacks what kernel.config asks for now; it is passed over"
    done
    return 3
}

need_tools() {
    [[ $(uname -m) == x86_64 ]] ||
        fail "this kernel exists for x86-64 only and the machine is $(uname -m); run the lab on an x86-64 machine"
    local tool missing=()
    for tool in gcc make flex bison bc xz patch perl; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [[ -e $tarball ]] || missing+=("$tarball")
    if ((${#missing[@]})); then
        fail "missing: ${missing[*]}; as root: apt-get install ${packages[*]}" \
            "(on Debian 12 the source comes from bookworm-security or bookworm-backports)"
    fi
}

# Unpacks, mends and configures a source tree in $1.
prepare() {
    local tree=$1 line
    say "unpacking $tarball"
    tar -C "$tree" --strip-components=1 -xf "$tarball"
    # The frame that saves the host's floating-point registers is 2696 bytes long by default. On
    # processors with AMX the kernel of the host hands over more (up to 11 KiB), and init dies at
    # its first signal. A larger frame does no harm elsewhere, so that one kernel serves all.
    patch -d "$tree" -p1 --quiet <<'PATCH' || fail "$tarball does not take the AMX mend; adapt it in $0"
--- a/arch/x86/um/user-offsets.c
+++ b/arch/x86/um/user-offsets.c
@@ -42,3 +42,3 @@
 #ifdef FP_XSTATE_MAGIC1
-	DEFINE_LONGS(HOST_FP_SIZE, 2696);
+	DEFINE_LONGS(HOST_FP_SIZE, 12288);
 #else
PATCH
    say "configuring"
    make -C "$tree" ARCH=um defconfig >/dev/null
    (cd "$tree" && scripts/kconfig/merge_config.sh -m .config "$here/kernel.config" >/dev/null)
    make -C "$tree" ARCH=um olddefconfig >/dev/null
    while read -r line; do
        [[ $line == CONFIG_* ]] || continue
        grep -qxF "$line" "$tree/.config" || fail "the configuration dropped $line; see kernel.config"
    done <"$here/kernel.config"
}

# The name carries the hash of everything that shapes the kernel: the recipe above, the
# configuration and the series. Point releases of one series are alike to the lab.
recipe=$({ declare -f prepare; cat "$here/kernel.config"; echo "$series"; } | sha256sum | cut -c1-16)
cached=$cache/linux-um-$recipe

build_dir() {
    mkdir -p "$cache"
    mktemp -d "$cache/build.XXXXXX"
}

build() {
    need_tools
    tree=$(build_dir)
    trap 'rm -rf "$tree"' EXIT
    prepare "$tree"
    say "building (once; it is kept as $cached)"
    nice make -C "$tree" ARCH=um -j"${ANJU_LAB_JOBS:-$(nproc)}" linux >"$cache/build.log" 2>&1 || {
        tail -n 30 "$cache/build.log" >&2
        fail "the build failed; the whole log is $cache/build.log"
    }
    strip -o "$tree/linux-um" "$tree/linux"
    mv "$tree/linux-um" "$cached"
    echo "$cached"
}

case ${1:-} in
'')
    if find_ready; then exit 0; else code=$?; fi
    ((code == 3)) || exit "$code"
    build
    ;;
--build)
    [[ -x $cached ]] || build >/dev/null
    echo "$cached"
    ;;
--packages)
    echo "${packages[@]}"
    ;;
--find)
    find_ready || { code=$?; say "no ready kernel; $0 builds one"; exit "$code"; }
    ;;
--check)
    need_tools
    tree=$(build_dir)
    trap 'rm -rf "$tree"' EXIT
    prepare "$tree"
    say "all that a build needs is here"
    ;;
*)
    fail "unknown option $1; one of --find, --build, --check, --packages or none"
    ;;
esac
