// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values from configuration and from the network, beside what OpenSSL or the standard library make of them.

use super::ends::{self, COMPLETE};
use super::library::error::Status;
use super::library::ffi::*;
use super::library::peer::PeerAddress;
use super::library::server_name;
use super::library::wire::{alpn, record};
use super::mutation::{byte, mutate, rest};
use super::pair::{Credentials, End, Outcome, Pair};
use arbitrary::Unstructured;
use openssl_sys as ffi;
use std::cell::OnceCell;
use std::ffi::c_uint;
use std::net::IpAddr;

pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    match byte(&mut input) % 6 {
        0 => address(&mut input),
        1 => protocols(rest(&mut input)),
        2 => name(rest(&mut input)),
        3 => records(rest(&mut input)),
        4 => setting(&mut input),
        _ => ticket(&mut input),
    }
}

/// The text of an accepted address is the standard library's, and its identity is its own.
fn address(input: &mut Unstructured<'_>) {
    let is_v4 = byte(input) & 1 == 0;
    let mut bytes = [0; 16];
    bytes.fill_with(|| byte(input));
    let ip: IpAddr = if is_v4 { [bytes[0], bytes[1], bytes[2], bytes[3]].into() } else { bytes.into() };
    let (port, scope) = (u16::from(byte(input)), u32::from(byte(input)));
    let Ok(peer) = PeerAddress::new(ip, port, scope) else { return };
    let canonical = ip.to_canonical();
    assert!(port != 0 && !canonical.is_unspecified() && !canonical.is_multicast());
    assert_eq!((peer.ip(), peer.port()), (canonical, port));
    let other = PeerAddress::new(ip, port.wrapping_add(1).max(1), scope).expect("an address");
    assert!(other.identity().as_slice() != peer.identity().as_slice());
    assert!(peer.to_string().ends_with(&format!(":{port}")));
}

/// OpenSSL accepts what the library does, but for the list without a protocol, which takes the protocols away.
fn protocols(list: &[u8]) {
    thread_local! {
        // SAFETY: a context for the time of the thread.
        static CONTEXT: *mut ffi::SSL_CTX = unsafe { ffi::SSL_CTX_new(ffi::DTLS_method()) };
    }
    let refused =
        // SAFETY: the context is live, the list readable.
        CONTEXT.with(|context| unsafe { ffi::SSL_CTX_set_alpn_protos(*context, list.as_ptr(), list.len() as c_uint) });
    assert!(list.is_empty() || alpn::is_well_formed(list) == (refused == 0));
    assert!(alpn::names(list).map(|name| name.len() + 1).sum::<usize>() <= list.len());
}

/// A name that is accepted is no address and has the length of a name.
fn name(name: &[u8]) {
    let Ok(parsed) = server_name::parse(name) else { return };
    let text = parsed.to_str().expect("ASCII");
    assert!(text.parse::<IpAddr>().is_err() && (1..=253).contains(&text.len()));
    assert!(name.starts_with(text.as_bytes()) && name.len() <= text.len() + 1);
}

/// Records cover the datagram from its beginning, without a gap.
fn records(datagram: &[u8]) {
    let mut rest = datagram;
    while let Some((one, behind)) = record::split_record(rest) {
        assert_eq!(one.bytes.len() + behind.len(), rest.len());
        assert_eq!(one.fragment.len() + record::HEADER_LENGTH, one.bytes.len());
        rest = behind;
    }
    assert_eq!(record::whole_records(datagram).len() + rest.len(), datagram.len());
}

/// A number that is refused changes nothing; none is set here that others would notice.
fn setting(input: &mut Unstructured<'_>) {
    let (name, value) = (i32::from(byte(input)), input.arbitrary::<u64>().unwrap_or(0));
    let (mut before, mut after) = (u64::MAX, u64::MAX);
    // SAFETY: the values are writable.
    let known = unsafe { qdtls_setting_get(name, &mut before) } == Status::Ok;
    assert_eq!(known, before != u64::MAX);
    // No setting allows as much.
    let refused = value | 1 << 40;
    assert_eq!(qdtls_setting_set(name, refused), Status::InvalidArgument);
    // SAFETY: the values are writable.
    unsafe { qdtls_setting_get(name, &mut after) };
    assert_eq!(before, after);
    assert!(!known || qdtls_setting_set(name, before) == Status::Ok);
}

/// A session that was altered leads to a full handshake, or to an error.
fn ticket(input: &mut Unstructured<'_>) {
    thread_local! {
        static SESSION: OnceCell<Vec<u8>> = const { OnceCell::new() };
    }
    let mut session = SESSION.with(|session| session.get_or_init(make_session).clone());
    if !input.is_empty() {
        mutate(input, &mut session);
    }
    let pair = ends::pair(Credentials::Certificate);
    for (end, session) in [(&pair.client, session.as_slice()), (&pair.server, &[])] {
        assert_eq!(end.set_resumption(session), Status::Ok);
    }
    match pair.connect() {
        Outcome::Connected => assert_eq!([pair.client.state(), pair.server.state()], [COMPLETE; 2]),
        Outcome::Failed(status) => assert_ne!(status, Status::Internal),
        Outcome::Stuck => {}
    }
}

fn make_session() -> Vec<u8> {
    let pair: Pair = ends::pair(Credentials::Certificate);
    for end in [&pair.client, &pair.server] {
        assert_eq!(end.set_resumption(&[]), Status::Ok);
    }
    assert_eq!(pair.connect(), Outcome::Connected);
    pair.client.session()
}

impl End {
    fn set_resumption(&self, session: &[u8]) -> Status {
        // SAFETY: the handle is live, the session readable.
        unsafe { qdtls_connection_set_resumption(self.handle, 1, session.as_ptr(), session.len()) }
    }

    fn session(&self) -> Vec<u8> {
        let mut session = vec![0; 1 << 14];
        let (mut length, mut lifetime) = (0, 0);
        // SAFETY: the handle is live, the session writable.
        let status = unsafe {
            let (start, capacity) = (session.as_mut_ptr(), session.len());
            qdtls_connection_session(self.handle, start, capacity, &mut length, &mut lifetime)
        };
        assert_eq!((status, length == 0), (Status::Ok, false));
        session.truncate(length);
        session
    }
}
