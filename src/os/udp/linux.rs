// SPDX-License-Identifier: MIT OR Apache-2.0
//! Linux: recvmmsg(2) and sendmmsg(2), with the offloads of udp(7): datagrams of one peer that the system joins
//! (UDP_GRO) or cuts (UDP_SEGMENT).

use super::socket::{Outgoing, Route, SLOT, Udp};
use crate::os::socket_address;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::ptr;

/// How many messages a system call receives, and sends.
const SLOTS: usize = 32;

/// The size of an [`Inbox`]'s memory.
pub const INBOX_SIZE: usize = SLOTS * SLOT;

/// The system cuts at most 64 datagrams out of one, which has at most 65,507 bytes.
const MOST_CUT: usize = 64;
const LONGEST_WHOLE: usize = 65_507;
/// What is larger may not fit into a packet of the usual size; the system does not cut that.
const LONGEST_CUT: usize = 1500 - 48;

/// Room for two control messages: an address, and a number.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control {
    bytes: [u8; 64],
    used: usize,
}

/// The messages of a system call, and what they point to.
struct Batch {
    vectors: [libc::iovec; SLOTS],
    messages: [libc::mmsghdr; SLOTS],
    controls: [Control; SLOTS],
    names: [Name; SLOTS],
}

impl Batch {
    fn empty() -> Self {
        // SAFETY: vectors, messages and bytes consist of integers and pointers, for which zero is valid.
        unsafe { std::mem::zeroed() }
    }
}

/// What comes in with one system call.
pub struct Inbox {
    storage: Vec<u8>,
    arrived: Vec<Arrived>,
    /// One, which is too large to be made for each call.
    batch: Vec<Batch>,
}

struct Arrived {
    from: Route,
    length: usize,
    /// The length of each datagram in it but the last.
    each: usize,
}

impl Inbox {
    /// With memory of [`INBOX_SIZE`] bytes; `None` without more memory.
    pub fn new(storage: Vec<u8>) -> Option<Self> {
        let (mut arrived, mut batch) = (Vec::new(), Vec::new());
        arrived.try_reserve_exact(SLOTS).ok()?;
        batch.try_reserve_exact(1).ok()?;
        batch.push(Batch::empty());
        Some(Self { storage, arrived, batch })
    }

    /// Reads what waits, and returns whether more may.
    pub fn receive(&mut self, socket: &Udp) -> io::Result<bool> {
        self.arrived.clear();
        let Some(Batch { vectors, messages, controls, names }) = self.batch.first_mut() else {
            return Ok(false);
        };
        let slots = self.storage.chunks_exact_mut(SLOT);
        let parts = messages.iter_mut().zip(names.iter_mut()).zip(controls).zip(vectors).zip(slots);
        for ((((message, name), control), vector), slot) in parts {
            *vector = libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot.len() };
            let header = &mut message.msg_hdr;
            header.msg_name = ptr::from_mut(name).cast();
            header.msg_namelen = size_of_val(name) as _;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = control.bytes.as_mut_ptr().cast();
            header.msg_controllen = control.bytes.len() as _;
        }
        let (descriptor, most) = (socket.socket.as_raw_fd(), messages.len() as libc::c_uint);
        // SAFETY: each message points to an address, a vector, its slot, and room for control messages, all of the sizes
        // given and borrowed until after the call.
        let count = unsafe {
            libc::recvmmsg(descriptor, messages.as_mut_ptr(), most, libc::MSG_DONTWAIT as _, ptr::null_mut())
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (message, name) in messages.iter().zip(names).take(count) {
            let length = message.msg_len as usize;
            let is_whole = message.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
            let peer = address_of(name).filter(|_| is_whole);
            // One without an address is passed over.
            let (peer, length) = peer.map_or((NOBODY, 0), |peer| (peer, length));
            let Notes { each, own } = Notes::of(&message.msg_hdr);
            let each = each.filter(|each| *each > 0).unwrap_or(length.max(1));
            self.arrived.push(Arrived { from: Route { peer, own }, length, each });
        }
        // Fewer than there was room for: nothing waits. On a connected socket an error may stand before more of them.
        Ok(count == SLOTS || socket.peer.is_some())
    }

    /// What was read.
    pub fn datagrams(&self) -> impl Iterator<Item = (Route, &[u8])> {
        self.arrived.iter().zip(self.storage.chunks_exact(SLOT)).flat_map(|(arrived, slot)| {
            let whole = slot.get(..arrived.length).unwrap_or_default();
            whole.chunks(arrived.each).map(|datagram| (arrived.from, datagram))
        })
    }
}

const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

fn address_of(name: &Name) -> Option<SocketAddr> {
    // SAFETY: the bytes of the structure, all of which are initialised.
    let bytes = unsafe { std::slice::from_raw_parts(ptr::from_ref(name).cast::<u8>(), size_of_val(name)) };
    let (ip, port, scope) = socket_address(bytes)?;
    Some(match ip {
        IpAddr::V6(v6) => SocketAddrV6::new(v6, port, 0, scope).into(),
        ip => SocketAddr::new(ip, port),
    })
}

/// What the system notes on a message.
#[derive(Default)]
struct Notes {
    /// The length of the datagrams that were joined in it.
    each: Option<usize>,
    /// The address that it was sent to, unless that is one of many hosts.
    own: Option<IpAddr>,
}

impl Notes {
    fn of(header: &libc::msghdr) -> Self {
        let mut notes = Self::default();
        // SAFETY: the system has filled the control messages of the header, whose room is still borrowed.
        let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
        // SAFETY: null, or such a control message.
        while let Some(control) = unsafe { next.as_ref() } {
            // SAFETY: no preconditions: the function computes an address.
            let data = unsafe { libc::CMSG_DATA(control) };
            match (control.cmsg_level, control.cmsg_type) {
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    // SAFETY: the data of a control message of this kind, at any alignment.
                    let each = unsafe { data.cast::<libc::c_int>().read_unaligned() };
                    notes.each = usize::try_from(each).ok();
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    // SAFETY: the data of a control message of this kind, at any alignment.
                    let own = unsafe { data.cast::<libc::in_pktinfo>().read_unaligned() }.ipi_spec_dst;
                    notes.own = Some(Ipv4Addr::from(u32::from_be(own.s_addr)).into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    // SAFETY: the data of a control message of this kind, at any alignment.
                    let own = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() }.ipi6_addr;
                    notes.own = Some(Ipv6Addr::from(own.s6_addr).into());
                }
                _ => {}
            }
            // SAFETY: as for the first one.
            next = unsafe { libc::CMSG_NXTHDR(header, control) };
        }
        // It is not known of what has come before it was asked for.
        notes.own = notes.own.filter(|own| !own.is_multicast() && !own.is_unspecified());
        notes
    }
}

/// Sends the first of them, and returns how many that were.
pub(super) fn send(socket: &Udp, queue: &[Outgoing], bytes: &[u8]) -> io::Result<usize> {
    let mut batch = Batch::empty();
    let Batch { vectors, messages, controls, names } = &mut batch;
    let mut numbers = [0; SLOTS];
    let (mut rest, mut left) = (queue, bytes);
    let mut used = 0;
    let parts = messages.iter_mut().zip(names).zip(controls).zip(vectors).zip(&mut numbers);
    for ((((message, name), control), vector), number) in parts {
        let Some(run) = Run::first(rest, left, socket.cuts.get()) else { break };
        *number = run.number;
        *vector = libc::iovec { iov_base: run.bytes.as_ptr().cast_mut().cast(), iov_len: run.bytes.len() };
        message.msg_hdr.msg_iov = vector;
        message.msg_hdr.msg_iovlen = 1;
        if socket.peer.is_none() {
            let length = name.set(socket.own_form(run.to.peer));
            message.msg_hdr.msg_name = ptr::from_mut(name).cast();
            message.msg_hdr.msg_namelen = length;
            come_from(&mut message.msg_hdr, control, run.to.own);
        }
        if run.number > 1 {
            let each = u16::try_from(run.each).unwrap_or(u16::MAX);
            add(&mut message.msg_hdr, control, libc::SOL_UDP, libc::UDP_SEGMENT, each);
        }
        rest = rest.get(run.number..).unwrap_or_default();
        left = left.get(run.bytes.len()..).unwrap_or_default();
        used += 1;
    }
    let descriptor = socket.socket.as_raw_fd();
    // SAFETY: the first `used` messages point to an address, a vector, the datagrams and a control message, all of the sizes
    // given, and borrowed until after the call. The system only reads them.
    let sent = unsafe { libc::sendmmsg(descriptor, messages.as_mut_ptr(), used, libc::MSG_DONTWAIT as _) };
    match usize::try_from(sent) {
        Ok(sent) => Ok(numbers.iter().take(sent).sum()),
        Err(_) => refused(socket, io::Error::last_os_error(), numbers.first()),
    }
}

/// If datagrams to be cut were refused, they are sent one by one from now on.
fn refused(socket: &Udp, error: io::Error, first: Option<&usize>) -> io::Result<usize> {
    let is_cut = first.is_some_and(|number| *number > 1);
    let is_busy = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
    if is_cut && !is_busy {
        socket.cuts.set(false);
        return Ok(0);
    }
    Err(error)
}

/// Datagrams that go out as one message.
struct Run<'a> {
    to: Route,
    bytes: &'a [u8],
    number: usize,
    each: usize,
}

impl<'a> Run<'a> {
    /// The first of the queue, with those behind it that the system can cut from one: to the same peer, and as long, but for
    /// a last one that may be shorter.
    fn first(queue: &[Outgoing], bytes: &'a [u8], cuts: bool) -> Option<Self> {
        let (first, others) = queue.split_first()?;
        let (mut number, mut length) = (1, first.length);
        if cuts && first.length <= LONGEST_CUT {
            for other in others.iter().take(MOST_CUT - 1) {
                let fits = length + other.length <= LONGEST_WHOLE;
                if other.to != first.to || other.length > first.length || !fits {
                    break;
                }
                number += 1;
                length += other.length;
                if other.length < first.length {
                    break;
                }
            }
        }
        Some(Self { to: first.to, bytes: bytes.get(..length)?, number, each: first.length })
    }
}

/// Has the system send from this address, and choose only the interface.
fn come_from(header: &mut libc::msghdr, control: &mut Control, own: Option<IpAddr>) {
    match own {
        None => {}
        Some(IpAddr::V4(own)) => {
            let own = libc::in_addr { s_addr: u32::from(own).to_be() };
            let none = libc::in_addr { s_addr: 0 };
            let note = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: own, ipi_addr: none };
            add(header, control, libc::IPPROTO_IP, libc::IP_PKTINFO, note);
        }
        Some(IpAddr::V6(own)) => {
            let own = libc::in6_addr { s6_addr: own.octets() };
            let note = libc::in6_pktinfo { ipi6_addr: own, ipi6_ifindex: 0 };
            add(header, control, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, note);
        }
    }
}

/// Adds a control message; there is room for an address and a number.
fn add<T>(header: &mut libc::msghdr, control: &mut Control, level: i32, kind: i32, value: T) {
    let used = control.used;
    let size = size_of_val(&value) as libc::c_uint;
    // SAFETY: no preconditions: the functions compute lengths.
    let (space, length) = unsafe { (libc::CMSG_SPACE(size), libc::CMSG_LEN(size)) };
    let Some(room) = control.bytes.get_mut(used..used + space as usize) else { return };
    let message = room.as_mut_ptr().cast::<libc::cmsghdr>();
    // SAFETY: the room is that of a control message with such a value. It is aligned: it begins the buffer, or follows a
    // message, whose space is a multiple of the alignment. Zero is valid for the header, which consists of integers.
    unsafe {
        message.write(std::mem::zeroed());
        (*message).cmsg_level = level;
        (*message).cmsg_type = kind;
        (*message).cmsg_len = length as _;
        libc::CMSG_DATA(message).cast::<T>().write_unaligned(value);
    }
    control.used = used + space as usize;
    header.msg_control = control.bytes.as_mut_ptr().cast();
    header.msg_controllen = control.used as _;
}

/// A `struct sockaddr_in` or `sockaddr_in6`.
#[repr(C)]
#[derive(Clone, Copy)]
union Name {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl Default for Name {
    fn default() -> Self {
        // SAFETY: an address consists of integers, for which zero is valid.
        unsafe { std::mem::zeroed() }
    }
}

impl Name {
    /// Stores the address, and returns its size.
    fn set(&mut self, address: SocketAddr) -> libc::socklen_t {
        match address {
            SocketAddr::V4(address) => {
                self.v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as _,
                    sin_port: address.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from(*address.ip()).to_be() },
                    sin_zero: [0; 8],
                };
                size_of::<libc::sockaddr_in>() as _
            }
            SocketAddr::V6(address) => {
                self.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as _,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: 0,
                    sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                    sin6_scope_id: address.scope_id(),
                };
                size_of::<libc::sockaddr_in6>() as _
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Outbox, send_now};
    use super::*;
    use std::net::UdpSocket;
    use std::time::{Duration, Instant};

    fn of(socket: &UdpSocket) -> Udp {
        // SAFETY: each test keeps its socket open.
        unsafe { Udp::new(socket.as_raw_fd() as isize) }.expect("a socket")
    }

    fn pair(address: &str) -> Option<[UdpSocket; 2]> {
        let socket = || UdpSocket::bind((address, 0)).ok();
        Some([socket()?, socket()?])
    }

    fn route_to(socket: &UdpSocket) -> Route {
        Route { peer: socket.local_addr().expect("an address"), own: None }
    }

    /// All that comes until it is as much as was sent; what does not come in ten seconds is not there.
    fn receive(socket: &Udp, number: usize) -> Vec<(Route, Vec<u8>)> {
        let end = Instant::now() + Duration::from_secs(10);
        let mut inbox = Inbox::new(vec![0; INBOX_SIZE]).expect("memory");
        let mut arrived = Vec::new();
        while arrived.len() < number && Instant::now() < end {
            match inbox.receive(socket) {
                Ok(_) => arrived.extend(inbox.datagrams().map(|(from, datagram)| (from, datagram.to_vec()))),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        arrived
    }

    #[test]
    fn datagrams_arrive_as_they_were_sent() {
        for address in ["127.0.0.1", "::1"] {
            let Some(sockets) = pair(address) else { continue };
            let [sender, receiver] = [of(&sockets[0]), of(&sockets[1])];
            let [from, to] = sockets.each_ref().map(route_to);
            let mut outbox = Outbox::new().expect("memory");
            // Runs of equal length, with a shorter last one, and others.
            let lengths = [100, 100, 100, 7, 100, 1400, 1400, 20, 20, 16_000, 1, 1, 1];
            let sent: Vec<_> = lengths.iter().zip(0u8..).map(|(length, byte)| vec![byte; *length]).collect();
            assert!(sent.iter().all(|datagram| outbox.push(to, datagram)));
            outbox.flush(&sender);
            assert!(outbox.is_empty());
            let expected: Vec<_> = sent.into_iter().map(|datagram| (from, datagram)).collect();
            assert_eq!(receive(&receiver, expected.len()), expected);
        }
    }

    #[test]
    fn a_datagram_that_cannot_be_sent_holds_up_no_other() {
        let Some([from, to]) = pair("127.0.0.1") else { return };
        let (sender, receiver) = (of(&from), of(&to));
        let to = route_to(&to);
        let mut outbox = Outbox::new().expect("memory");
        let other_family = Route { peer: "[::1]:9".parse().expect("one"), own: None };
        // Too long for a datagram, and an address of the other family.
        assert!(outbox.push(to, &[1; 65_535]) && outbox.push(other_family, &[2]));
        assert!(outbox.push(to, &[3]));
        outbox.flush(&sender);
        assert!(outbox.is_empty());
        assert_eq!(receive(&receiver, 1)[0].1, [3]);
    }

    #[test]
    fn answers_come_from_the_address_that_was_sent_to() {
        for (wildcard, address) in [("0.0.0.0", "127.0.0.2"), ("::", "::1"), ("::", "127.0.0.2")] {
            let Ok(server) = UdpSocket::bind((wildcard, 0)) else { continue };
            let port = server.local_addr().expect("an address").port();
            let client = UdpSocket::bind((if address == "::1" { "::1" } else { "127.0.0.1" }, 0));
            let Ok(client) = client else { continue };
            client.connect((address, port)).expect("a route");
            let server = of(&server);
            client.send(&[1]).expect("sent");
            let (from, _) = receive(&server, 1).remove(0);
            // Alone, and as several of equal length.
            send_now(&server, from, &[2]).expect("sent");
            let mut outbox = Outbox::new().expect("memory");
            assert!((3..6).all(|byte| outbox.push(from, &[byte])));
            outbox.flush(&server);
            client.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
            let next = || {
                let mut byte = [0];
                client.recv(&mut byte).map(|_| byte[0]).expect("an answer")
            };
            assert_eq!([next(), next(), next(), next()], [2, 3, 4, 5], "{wildcard} {address}");
        }
    }
}
