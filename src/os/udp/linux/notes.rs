// SPDX-License-Identifier: MIT OR Apache-2.0
//! Control messages (cmsg(3)): what the system notes on what comes, and is asked to do with what goes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Room for two control messages: an address, and a number.
pub(super) const ROOM: usize = 64;

/// The control messages of one message.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct Control {
    pub(super) bytes: [u8; ROOM],
}

/// What the system notes on a message.
#[derive(Default)]
pub(super) struct Notes {
    /// The length of the datagrams that were joined in it.
    pub(super) each: Option<usize>,
    /// The address that it was sent to, unless that is one of many hosts.
    pub(super) own: Option<IpAddr>,
}

impl Notes {
    pub(super) fn of(header: &libc::msghdr) -> Self {
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

/// Has the system cut datagrams of this length out of the message.
pub(super) fn cut(header: &mut libc::msghdr, control: &mut Control, each: usize) {
    add(header, control, libc::SOL_UDP, libc::UDP_SEGMENT, u16::try_from(each).unwrap_or(u16::MAX));
}

/// Has the system send from this address, and choose only the interface.
pub(super) fn come_from(header: &mut libc::msghdr, control: &mut Control, own: Option<IpAddr>) {
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
    let used: usize = header.msg_controllen as _;
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
    header.msg_control = control.bytes.as_mut_ptr().cast();
    header.msg_controllen = (used + space as usize) as _;
}
