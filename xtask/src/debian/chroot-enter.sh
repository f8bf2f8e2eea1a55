#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Runs a command in a suite of Debian, in a mount namespace of its own that chroot.rs has made. Started in the root of
# the repository as: chroot-enter.sh <root of the suite> <its target> <folder of a Rust toolchain, or nothing> <command>
set -e
root=$1 target=$2 rust=$3
shift 3
repository=$PWD

# Shows a folder of the machine under the same path.
show() {
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    mount -o remount,bind,ro "$root$1"
}

show "$repository"
mount --bind "$target" "$root$repository/target"
if [ -n "$rust" ]; then
    show "$rust"
fi
mount -t proc proc "$root/proc"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
exec chroot "$root" sh -c 'cd "$0" && exec "$@"' "$repository" "$@"
