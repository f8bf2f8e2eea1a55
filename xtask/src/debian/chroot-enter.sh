#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Runs a command in a suite of Debian, in a mount namespace of its own that chroot.rs has made. Started in the root of
# the repository as:
#     chroot-enter.sh <root of the suite> <its target> <folder of a Rust toolchain, or nothing> \
#         <QEMU's name of the programs to emulate, or nothing> <command>
set -e
root=$1 target=$2 rust=$3 emulator=$4
shift 4
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

# The kernel starts QEMU for such programs, whoever starts them. Since Linux 6.7 each user namespace has such a table of
# its own: nothing is registered for the machine.
if [ -n "$emulator" ]; then
    mount -t binfmt_misc binfmt_misc "$root/proc/sys/fs/binfmt_misc"
    chroot "$root" sh -c 'cat "/usr/lib/binfmt.d/qemu-$0.conf" > /proc/sys/fs/binfmt_misc/register' "$emulator"
fi
exec chroot "$root" sh -c 'cd "$0" && exec "$@"' "$repository" "$@"
