// SPDX-License-Identifier: MIT OR Apache-2.0
//! A DTLS peer on dimpl: echoes what it receives, and closes when it is asked to.

use dimpl::crypto::Dtls12CipherSuite;
use dimpl::{Config, Dtls, DtlsCertificate, Output};
use std::collections::HashMap;
use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CLOSE_REQUEST: &[u8] = b"please-close\n";
const MOST: usize = 1 << 16;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options: HashMap<_, _> = arguments.iter().filter_map(|argument| argument.split_once('=')).collect();
    let is_server = options["role"] == "server";
    let address: SocketAddr = ([127, 0, 0, 1], options["port"].parse()?).into();
    let (config, certificate) = (configuration(&options)?, certificate(&options)?);
    let local: SocketAddr = if is_server { address } else { ([127, 0, 0, 1], 0).into() };
    let socket = UdpSocket::bind(local)?;
    println!("ready");
    loop {
        let mut dtls = Dtls::new_12(Arc::clone(&config), certificate.clone(), Instant::now());
        dtls.set_active(!is_server);
        let peer = if is_server { None } else { Some(address) };
        match (Connection { dtls, socket: &socket, peer, wakes: None }).run() {
            Ok(()) => {}
            Err(error) => println!("failed {error}"),
        }
        if !is_server {
            return Ok(());
        }
    }
}

fn configuration(options: &HashMap<&str, &str>) -> Result<Arc<Config>> {
    let config = Config::builder().require_client_certificate(options.contains_key("demand"));
    let config = match options.get("suite") {
        Some(&"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256") => {
            config.dtls12_cipher_suites(&[Dtls12CipherSuite::ECDHE_ECDSA_AES128_GCM_SHA256])
        }
        Some(&"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256") => {
            config.dtls12_cipher_suites(&[Dtls12CipherSuite::ECDHE_ECDSA_CHACHA20_POLY1305_SHA256])
        }
        _ => config,
    };
    Ok(Arc::new(config.build()?))
}

/// The first in the file.
fn certificate(options: &HashMap<&str, &str>) -> Result<DtlsCertificate> {
    let first = |name| -> Result<Vec<u8>> { Ok(pem::parse(std::fs::read(options[name])?)?.into_contents()) };
    Ok(DtlsCertificate { certificate: first("cert")?, private_key: first("key")? })
}

struct Connection<'a> {
    dtls: Dtls,
    socket: &'a UdpSocket,
    /// A server's is the first that sends something.
    peer: Option<SocketAddr>,
    wakes: Option<Instant>,
}

impl Connection<'_> {
    /// Returns when the connection is over.
    fn run(mut self) -> Result<()> {
        self.dtls.handle_timeout(Instant::now())?;
        loop {
            for message in self.send_all()? {
                if message == CLOSE_REQUEST {
                    self.dtls.close()?;
                    self.send_all()?;
                    return Ok(());
                }
                self.dtls.send_application_data(&message)?;
                self.send_all()?;
            }
            if self.dtls.is_closed() {
                return Ok(());
            }
            self.receive()?;
        }
    }

    /// Sends what waits and returns the messages that came.
    fn send_all(&mut self) -> Result<Vec<Vec<u8>>> {
        let mut messages = Vec::new();
        let mut buffer = vec![0; MOST];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(datagram) => {
                    let peer = self.peer.ok_or("nobody to send to")?;
                    self.socket.send_to(datagram, peer)?;
                }
                Output::Timeout(time) => {
                    self.wakes = Some(time);
                    return Ok(messages);
                }
                Output::ApplicationData(message) => messages.push(message.to_vec()),
                Output::Connected => println!("handshake"),
                Output::CloseNotify => {
                    println!("closed");
                    self.dtls.close()?;
                }
                _ => {}
            }
        }
    }

    fn receive(&mut self) -> Result<()> {
        let left = self.wakes.map(|time| time.saturating_duration_since(Instant::now()));
        // A server that waits for a client has no deadline yet.
        let wait = if self.peer.is_none() { None } else { left.map(|left| left.max(Duration::from_millis(1))) };
        self.socket.set_read_timeout(wait)?;
        let mut buffer = vec![0; MOST];
        let received = self.socket.recv_from(&mut buffer);
        self.dtls.handle_timeout(Instant::now())?;
        if let Ok((size, sender)) = received {
            self.peer.get_or_insert(sender);
            self.dtls.handle_packet(&buffer[..size])?;
        }
        Ok(())
    }
}
