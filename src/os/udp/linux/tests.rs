// SPDX-License-Identifier: MIT OR Apache-2.0
use super::{INBOX_SIZE, Inbox};
use crate::os::udp::socket::tests::of;
use crate::os::udp::{Outbox, Route, Udp};
use crate::peer::PeerAddress;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

fn pair(address: &str) -> Option<[UdpSocket; 2]> {
    let socket = || UdpSocket::bind((address, 0)).ok();
    Some([socket()?, socket()?])
}

fn peer_of(address: SocketAddr) -> Route {
    Route { peer: PeerAddress::of_socket(address).expect("a peer's"), own: None }
}

fn route_to(socket: &UdpSocket) -> Route {
    peer_of(socket.local_addr().expect("an address"))
}

/// All that comes until it is as much as was sent; what does not come in ten seconds is not there.
fn receive(socket: &Udp, number: usize) -> Vec<(Route, Vec<u8>)> {
    let end = Instant::now() + Duration::from_secs(10);
    let mut inbox = Inbox::new(vec![0; INBOX_SIZE]).expect("memory");
    let mut arrived = Vec::new();
    while arrived.len() < number && Instant::now() < end {
        match inbox.receive(socket) {
            Ok(_) => {
                for message in 0..inbox.count() {
                    let peer = inbox.sender(message).expect("a peer's");
                    let (own, datagrams) = inbox.datagrams(message).expect("whole");
                    arrived.extend(datagrams.map(|datagram| (Route { peer, own }, datagram.to_vec())));
                }
            }
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
        assert!(sent.iter().all(|datagram| outbox.push(&sender, &to, datagram)));
        outbox.flush(&sender);
        assert!(outbox.is_empty());
        let expected: Vec<_> = sent.into_iter().map(|datagram| (from, datagram)).collect();
        assert_eq!(receive(&receiver, expected.len()), expected);
    }
}

/// A socket's port to which nothing is bound, of which the network has reported that.
fn refused_by(from: &UdpSocket) -> SocketAddr {
    let nobody = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
    from.connect(nobody).expect("an address");
    from.send(&[0]).expect("nothing was reported");
    nobody
}

#[test]
fn an_icmp_error_of_an_earlier_datagram_holds_up_no_other() {
    // One datagram, some in a run, and some behind each other.
    for lengths in [vec![10], vec![100, 100, 7], vec![100, 2000, 100]] {
        let from = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let nobody = refused_by(&from);
        let to = UdpSocket::bind(nobody).expect("a socket");
        let (sender, receiver) = (of(&from), of(&to));
        let mut outbox = Outbox::new().expect("memory");
        assert!(lengths.iter().all(|length| outbox.push(&sender, &route_to(&to), &vec![0; *length])));
        let cuts = sender.cuts.get();
        outbox.flush(&sender);
        assert!(outbox.is_empty());
        assert_eq!(receive(&receiver, lengths.len()).len(), lengths.len(), "{lengths:?}");
        assert_eq!(sender.cuts.get(), cuts, "{lengths:?}");
    }
}

#[test]
fn a_datagram_that_cannot_be_sent_holds_up_no_other() {
    let Some([from, to]) = pair("127.0.0.1") else { return };
    let (sender, receiver) = (of(&from), of(&to));
    let to = route_to(&to);
    let mut outbox = Outbox::new().expect("memory");
    let other_family = peer_of("[::1]:9".parse().expect("one"));
    // Too long for a datagram, and an address of the other family.
    assert!(outbox.push(&sender, &to, &[1; 65_535]) && outbox.push(&sender, &other_family, &[2]));
    assert!(outbox.push(&sender, &to, &[3]));
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
        let mut outbox = Outbox::new().expect("memory");
        outbox.send_now(&server, &from, &[2]).expect("sent");
        assert!((3..6).all(|byte| outbox.push(&server, &from, &[byte])));
        outbox.flush(&server);
        client.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        let next = || {
            let mut byte = [0];
            client.recv(&mut byte).map(|_| byte[0]).expect("an answer")
        };
        assert_eq!([next(), next(), next(), next()], [2, 3, 4, 5], "{wildcard} {address}");
    }
}

#[test]
fn where_the_system_does_not_cut_all_are_sent_one_by_one() {
    let Some([from, to]) = pair("127.0.0.1") else { return };
    let (sender, receiver) = (of(&from), of(&to));
    let (from, to) = (route_to(&from), route_to(&to));
    let mut outbox = Outbox::new().expect("memory");
    let sent: Vec<_> = [100, 100, 7, 100, 100].map(|length: u8| vec![length; length.into()]).into();
    assert!(sent.iter().all(|datagram| outbox.push(&sender, &to, datagram)));
    sender.cuts.set(false);
    outbox.flush(&sender);
    assert!(outbox.is_empty());
    let expected: Vec<_> = sent.into_iter().map(|datagram| (from, datagram)).collect();
    assert_eq!(receive(&receiver, expected.len()), expected);
}
