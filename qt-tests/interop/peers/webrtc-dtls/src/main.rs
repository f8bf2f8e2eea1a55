// SPDX-License-Identifier: MIT OR Apache-2.0
//! A DTLS peer on webrtc-dtls: echoes what it receives, and closes when it is asked to.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;
use webrtc_dtls::cipher_suite::CipherSuiteId;
use webrtc_dtls::config::{ClientAuthType, Config};
use webrtc_dtls::conn::DTLSConn;
use webrtc_dtls::crypto::Certificate;
use webrtc_dtls::listener::listen;
use webrtc_util::conn::{Conn, Listener};

const CLOSE_REQUEST: &[u8] = b"please-close\n";
const MOST: usize = 1 << 16;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Options<'a> = HashMap<&'a str, &'a str>;
type Connection = Arc<dyn Conn + Send + Sync>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options: Options = arguments.iter().filter_map(|argument| argument.split_once('=')).collect();
    let address: SocketAddr = ([127, 0, 0, 1], options["port"].parse()?).into();
    let config = configuration(&options)?;
    if options["role"] == "server" { serve(address, config).await } else { connect(address, config).await }
}

async fn serve(address: SocketAddr, config: Config) -> Result<()> {
    let listener = listen(address, config).await?;
    println!("ready");
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                tokio::spawn(echo(connection));
            }
            Err(error) => println!("failed {error}"),
        }
    }
}

async fn connect(address: SocketAddr, config: Config) -> Result<()> {
    let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    socket.connect(address).await?;
    echo(Arc::new(DTLSConn::new(Arc::new(socket), config, true, None).await?)).await;
    Ok(())
}

fn configuration(options: &Options) -> Result<Config> {
    let mut authorities = RootCertStore::empty();
    authorities.add(CertificateDer::from_pem_file(options["ca"])?)?;
    let mut config = Config {
        roots_cas: authorities.clone(),
        client_cas: authorities,
        server_name: "localhost".into(),
        ..Config::default()
    };
    if options.contains_key("cert") {
        config.certificates = vec![certificate(options)?];
    }
    if let Some(key) = options.get("psk") {
        let key = hex::decode(key)?;
        config.psk = Some(Arc::new(move |_| Ok(key.clone())));
        config.psk_identity_hint = Some(options["identity"].into());
    }
    config.cipher_suites.extend(options.get("suite").map(|name| suite(name)).transpose()?);
    if options.contains_key("demand") {
        config.client_auth = ClientAuthType::RequireAndVerifyClientCert;
    }
    Ok(config)
}

/// It reads its own kind of PEM: the key first, in a block of another name.
fn certificate(options: &Options) -> Result<Certificate> {
    let read = |name| std::fs::read_to_string(options[name]);
    let key = read("key")?.replace("PRIVATE KEY", "PRIVATE_KEY");
    Ok(Certificate::from_pem(&(key + &read("cert")?))?)
}

fn suite(name: &str) -> Result<CipherSuiteId> {
    match name {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => {
            Ok(CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256)
        }
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA" => Ok(CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha),
        "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8" => Ok(CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Ccm_8),
        "TLS_PSK_WITH_AES_128_GCM_SHA256" => Ok(CipherSuiteId::Tls_Psk_With_Aes_128_Gcm_Sha256),
        _ => Err("no such cipher suite".into()),
    }
}

/// Returns when the connection is over.
async fn echo(connection: Connection) {
    println!("handshake");
    if let Err(error) = echo_until_closed(&connection).await {
        println!("failed {error}");
    }
    if let Err(error) = connection.close().await {
        println!("failed {error}");
    }
}

async fn echo_until_closed(connection: &Connection) -> webrtc_util::Result<()> {
    let mut message = vec![0; MOST];
    loop {
        let size = match connection.recv(&mut message).await {
            Ok(size) => size,
            Err(error) if is_closed(&error) => {
                println!("closed");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if &message[..size] == CLOSE_REQUEST {
            return Ok(());
        }
        connection.send(&message[..size]).await?;
    }
}

/// After a close_notify; a fatal alert says the same.
fn is_closed(error: &webrtc_util::Error) -> bool {
    error.downcast_ref() == Some(&webrtc_dtls::Error::ErrAlertFatalOrClose)
}
