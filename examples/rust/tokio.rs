// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client on tokio: sends one message and prints the answer.
//!
//!     cargo run --features rust --example tokio -- 4433 certificate.pem echo.example hello

use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use qdtls_rs::rust::{Connection, Host, Need, Role, prepare};
use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A connected socket.
struct Peer(Arc<UdpSocket>);

impl Host for Peer {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        // It does not wait: a datagram that the socket has no room for is lost, and the timer repeats it.
        self.0.try_send(datagram).map(drop)
    }
}

struct Client {
    socket: Arc<UdpSocket>,
    connection: Connection<Peer>,
    buffer: Vec<u8>,
}

impl Client {
    async fn shake_hands(&mut self) -> Result<(), Failure> {
        // Only then tokio knows that the socket has room.
        self.socket.writable().await?;
        let mut need = self.connection.start(&[])?;
        while need == Need::Datagram {
            let timer = self.connection.time_left();
            tokio::select! {
                biased; // what has arrived comes before a timer that is late
                length = self.socket.recv(&mut self.buffer) => {
                    need = self.connection.proceed(&self.buffer[..length?])?;
                }
                () = until(timer) => drop(self.connection.handle_timeout()?),
            }
        }
        // The context has verified the certificate, and its name.
        Ok(self.connection.judge_peer(true)?)
    }

    async fn ask(mut self, question: &[u8]) -> Result<Vec<u8>, Failure> {
        timeout(Duration::from_secs(20), self.shake_hands()).await??;
        self.connection.write(question)?;
        let mut answer = Vec::new();
        while answer.is_empty() {
            let length = timeout(Duration::from_secs(20), self.socket.recv(&mut self.buffer)).await??;
            self.connection.read(&self.buffer[..length], &mut answer)?;
        }
        self.connection.shutdown()?;
        Ok(answer)
    }
}

/// Never ends if no timer runs.
async fn until(timer: Option<Duration>) {
    match timer {
        Some(left) => sleep(left).await,
        None => future::pending().await,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: tokio PORT CERTIFICATE NAME MESSAGE");
    let (port, certificate, name, message) = (next()?, next()?, next()?, next()?);

    let mut context = SslContext::builder(SslMethod::dtls_client())?;
    context.set_ca_file(certificate)?;
    context.set_verify(SslVerifyMode::PEER);
    prepare(&mut context)?;
    let mut ssl = Ssl::new(&context.build())?;
    ssl.set_hostname(&name)?;
    ssl.param_mut().set_host(&name)?;

    let address = SocketAddr::from(([127, 0, 0, 1], port.parse()?));
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await?);
    socket.connect(address).await?;
    let mut connection = Connection::new(Role::Client, address, Peer(Arc::clone(&socket)))?;
    connection.init_tls(ssl)?;

    let client = Client { socket, connection, buffer: vec![0; 1 << 16] };
    // A task may go on on another thread after each wait: a connection is `Send`.
    let answer = tokio::spawn(async move { client.ask(message.as_bytes()).await }).await??;
    println!("{}", String::from_utf8_lossy(&answer).trim_end());
    Ok(())
}
