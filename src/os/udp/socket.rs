// SPDX-License-Identifier: MIT OR Apache-2.0
//! A UDP socket of the program's.

use super::options::{ask_for_joined, ask_for_own_address};
use crate::peer::PeerAddress;
use std::cell::Cell;
use std::io;
use std::mem::ManuallyDrop;
use std::net::{IpAddr, SocketAddr, SocketAddrV6, UdpSocket};

/// The way of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it comes from, or goes to.
    pub peer: PeerAddress,
    /// The address on this side, if the socket is bound to all of them and the system says to which one it came. The
    /// answers have to come from it: a connected peer takes no others.
    pub own: Option<IpAddr>,
}

/// A socket that the program owns and closes.
pub struct Udp {
    pub(super) socket: ManuallyDrop<UdpSocket>,
    /// Such a socket takes IPv4 addresses in their mapped form.
    pub(super) is_ipv6: bool,
    /// The only peer of a connected socket, which takes no address.
    pub(super) peer: Option<SocketAddr>,
    /// Whether the system can cut datagrams out of a larger one, and has not refused that.
    pub(super) cuts: Cell<bool>,
}

/// Room for the largest datagram, or as many as the system joins.
pub(super) const LONGEST: usize = 1 << 16;

impl Udp {
    /// A socket of the program's, which becomes non-blocking.
    ///
    /// # Safety
    /// If `socket` is open, it stays so as long as this value is used.
    pub unsafe fn new(socket: isize) -> io::Result<Self> {
        // SAFETY: open as long as it is used, or refused by the system at once (this function's contract), and never closed
        // here.
        let socket = ManuallyDrop::new(unsafe { open(socket) }?);
        socket.set_nonblocking(true)?;
        let is_ipv6 = socket.local_addr()?.is_ipv6();
        let peer = socket.peer_addr().ok();
        ask_for_joined(&socket);
        if peer.is_none() && socket.local_addr()?.ip().is_unspecified() {
            ask_for_own_address(&socket, is_ipv6);
        }
        Ok(Self { socket, is_ipv6, peer, cuts: Cell::new(cfg!(target_os = "linux")) })
    }

    /// The peer of a connected socket.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Sends one datagram, from the address that the system chooses.
    pub fn send(&self, to: PeerAddress, datagram: &[u8]) -> io::Result<()> {
        match self.peer {
            Some(_) => self.socket.send(datagram),
            None => self.socket.send_to(datagram, self.own_form(to)),
        }
        .map(drop)
    }

    /// The address as this socket takes it.
    fn own_form(&self, address: PeerAddress) -> SocketAddr {
        match self.is_ipv6 {
            true => SocketAddrV6::new(address.to_v6(), address.port(), 0, address.scope()).into(),
            false => address.to_socket(),
        }
    }
}

#[cfg(unix)]
unsafe fn open(socket: isize) -> io::Result<UdpSocket> {
    use std::os::fd::FromRawFd;
    let number = i32::try_from(socket).ok().filter(|number| *number >= 0);
    let number = number.ok_or(io::ErrorKind::InvalidInput)?;
    // SAFETY: not -1; open as long as it is used (this function's caller's contract).
    Ok(unsafe { UdpSocket::from_raw_fd(number) })
}

#[cfg(windows)]
unsafe fn open(socket: isize) -> io::Result<UdpSocket> {
    use std::os::windows::io::{FromRawSocket, RawSocket};
    let number = RawSocket::try_from(socket).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: not INVALID_SOCKET, which is -1; open as long as it is used (this function's caller's contract).
    Ok(unsafe { UdpSocket::from_raw_socket(number) })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A socket that the test keeps open.
    pub fn of(socket: &UdpSocket) -> Udp {
        #[cfg(unix)]
        let number = std::os::fd::AsRawFd::as_raw_fd(socket) as isize;
        #[cfg(windows)]
        let number = std::os::windows::io::AsRawSocket::as_raw_socket(socket) as isize;
        // SAFETY: each test keeps its socket open as long as it uses the result.
        unsafe { Udp::new(number) }.expect("a socket")
    }
}
