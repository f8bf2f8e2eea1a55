// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a socket is asked to do; systems that cannot do it ignore that.

use std::net::UdpSocket;

/// Asks for datagrams of one peer in one.
#[cfg(target_os = "linux")]
pub(super) fn ask_for_joined(socket: &UdpSocket) {
    switch_on(socket, libc::SOL_UDP, libc::UDP_GRO);
}

/// Asks for the address that each datagram was sent to.
#[cfg(target_os = "linux")]
pub(super) fn ask_for_own_address(socket: &UdpSocket, is_ipv6: bool) {
    match is_ipv6 {
        false => switch_on(socket, libc::IPPROTO_IP, libc::IP_PKTINFO),
        true => switch_on(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    }
}

#[cfg(target_os = "linux")]
fn switch_on(socket: &UdpSocket, level: i32, option: i32) {
    use std::os::fd::AsRawFd;
    let on: libc::c_int = 1;
    let (value, size) = ((&raw const on).cast(), size_of_val(&on) as libc::socklen_t);
    // SAFETY: the socket is open, and the value a local of the size given.
    unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, size) };
}

#[cfg(not(target_os = "linux"))]
pub(super) fn ask_for_joined(_socket: &UdpSocket) {}

#[cfg(not(target_os = "linux"))]
pub(super) fn ask_for_own_address(_socket: &UdpSocket, _is_ipv6: bool) {}
