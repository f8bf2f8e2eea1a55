// SPDX-License-Identifier: MIT OR Apache-2.0
//! An echo server for many peers, on one socket of the standard library.
//!
//!     cargo run --features rust --example plain_socket -- 4433 certificate.pem key.pem

use openssl::ssl::{Ssl, SslContext, SslFiletype, SslMethod};
use qdtls_rs::rust::{Connection, Error, Host, Listener, Need, Role, State, Status, prepare};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// A server that stays also forgets peers that were quiet for too long.
const MOST_PEERS: usize = 1000;

struct Peer {
    socket: Arc<UdpSocket>,
    address: SocketAddr,
}

impl Host for Peer {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send_to(datagram, self.address).map(drop)
    }
}

struct Server {
    socket: Arc<UdpSocket>,
    context: SslContext,
    listener: Listener,
    peers: HashMap<SocketAddr, Connection<Peer>>,
}

type Failure = Box<dyn std::error::Error>;

impl Server {
    /// Handles a datagram. A connection that has ended is forgotten; a client that begins again gets a new one.
    fn receive(&mut self, from: SocketAddr, datagram: &[u8]) -> Result<(), Failure> {
        if let Some(connection) = self.peers.get_mut(&from) {
            match serve(connection, datagram) {
                Err(error) if !error.status().leaves_association() => {
                    eprintln!("{from}: {error}");
                    self.peers.remove(&from);
                    if error.status() != Status::PeerRestarted {
                        return Ok(());
                    }
                }
                _ => return Ok(()),
            }
        }
        let answer = |answer: &[u8]| self.socket.send_to(answer, from).map(drop);
        if self.listener.verify(from, datagram, answer)? && self.peers.len() < MOST_PEERS {
            let peer = Peer { socket: Arc::clone(&self.socket), address: from };
            let mut connection = Connection::new(Role::Server, from, peer)?;
            connection.require_cookie(&self.listener);
            connection.init_tls(Ssl::new(&self.context)?)?;
            connection.start(datagram)?;
            self.peers.insert(from, connection);
        }
        Ok(())
    }

    fn handle_timeouts(&mut self) {
        self.peers.retain(|_, connection| match connection.time_left() {
            Some(Duration::ZERO) => {
                connection.handle_timeout().is_ok() || connection.state() == State::InProgress
            }
            _ => true,
        });
    }
}

/// Continues a handshake, or sends back what has come.
fn serve(connection: &mut Connection<Peer>, datagram: &[u8]) -> Result<(), Error> {
    let mut plaintext = Vec::new();
    let outcome = match connection.state() {
        State::Complete => connection.read(datagram, &mut plaintext),
        _ if connection.proceed(datagram)? == Need::Datagram => return Ok(()),
        // Any client is welcome: the context asks for no certificate.
        _ => connection.judge_peer(true).and_then(|()| connection.read(&[], &mut plaintext)),
    };
    if !plaintext.is_empty() && connection.state() == State::Complete {
        connection.write(&plaintext)?;
    }
    outcome
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: plain_socket PORT CERTIFICATE KEY");
    let (port, certificate, key) = (next()?, next()?, next()?);

    let mut context = SslContext::builder(SslMethod::dtls_server())?;
    context.set_certificate_chain_file(certificate)?;
    context.set_private_key_file(key, SslFiletype::PEM)?;
    prepare(&mut context)?;
    let socket = Arc::new(UdpSocket::bind(("127.0.0.1", port.parse()?))?);
    let (context, listener, peers) = (context.build(), Listener::new(), HashMap::new());
    let mut server = Server { socket: Arc::clone(&socket), context, listener, peers };

    let mut buffer = vec![0; 1 << 16];
    loop {
        let next = server.peers.values().filter_map(Connection::time_left).min();
        // The system takes no zero here.
        socket.set_read_timeout(next.map(|left| left.max(Duration::from_millis(1))))?;
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                if let Err(error) = server.receive(from, &buffer[..length]) {
                    eprintln!("{from}: {error}");
                }
            }
            // The time is over, or the network reports what became of an earlier datagram.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionRefused) => {}
            Err(error) => return Err(error.into()),
        }
        server.handle_timeouts();
    }
}
