// SPDX-License-Identifier: MIT OR Apache-2.0
//! Peers that are installed programs.

use super::{Echo, Launch, Limit, NO_RESTART, Peer, RSA, nothing, version_of};
use crate::interop::cases::{ALPN, Case, Closer, PSK, PSK_IDENTITY, Role, Suite};
use crate::interop::certificates::{self, Identity};
use crate::interop::process::Pipe;
use std::fs;
use std::process::Command;

const RESTART_AT_OPENSSL: Limit = (
    "restart on the same port",
    Some(Role::Client),
    "OpenSSL has no RFC 6347, 4.2.8: it takes a hello on a connection for a renegotiation",
);

pub const OPENSSL: Peer = Peer {
    name: "OpenSSL",
    packages: &["openssl"],
    build: nothing,
    version: || version_of("openssl"),
    command: openssl,
    ready: "ACCEPT",
    closed: &["closed\n", "DONE"],
    lossy: RSA,
    more: &[],
    echo: Echo::Piped(Pipe { close: Some("Q\n"), by_line: false }),
    limits: &[RESTART_AT_OPENSSL],
};

fn openssl(launch: &Launch) -> Result<Command, &'static str> {
    let Launch { case, port, .. } = launch;
    let mut command = Command::new("openssl");
    let address = format!("127.0.0.1:{port}");
    let identity = launch.identity;
    match launch.role {
        Role::Server if case.closer == Closer::Peer => {
            return Err("s_server closes its socket before it would send a close_notify");
        }
        Role::Server => {
            command.args(["s_server", "-dtls1_2", "-accept", &address]);
            // With the cookie exchange it gives up at the first timeout.
            if !case.has_loss() {
                command.arg("-listen");
            }
            if case.demands {
                command.args(["-Verify", "5", "-verify_return_error"]);
            }
            if case.is_psk() {
                command.arg("-nocert");
            }
        }
        Role::Client => {
            command.args(["s_client", "-dtls1_2", "-connect", &address]);
            if !case.is_psk() {
                command.args(["-servername", "localhost", "-verify_return_error"]);
            }
            if case.resumes {
                command.args([if launch.is_second { "-sess_in" } else { "-sess_out" }, launch.scratch]);
            }
        }
    }
    command.arg("-CAfile").arg(certificates::authority());
    if let Some(identity) = identity {
        command.arg("-cert").arg(identity.certificate()).arg("-key").arg(identity.key());
        if identity == Identity::Chain {
            command.arg("-cert_chain").arg(identity.certificate());
        }
    }
    if case.is_psk() {
        command.args(["-psk", PSK, "-psk_identity", PSK_IDENTITY]);
    }
    if let Some(suite) = case.suite {
        command.args(["-cipher", &format!("{}:@SECLEVEL=0", suite.openssl())]);
    }
    if case.alpn {
        command.args(["-alpn", ALPN]);
    }
    Ok(command)
}

pub const GNUTLS: Peer = Peer {
    name: "GnuTLS",
    packages: &["gnutls-bin"],
    build: nothing,
    version: || version_of("gnutls-bin"),
    command: gnutls,
    ready: "listening on",
    closed: &["Peer has closed", "EOF"],
    lossy: RSA,
    more: &[],
    // Its server echoes by itself, and what it prints is not its input.
    echo: Echo::Piped(Pipe { close: None, by_line: true }),
    limits: &[(
        "echo of 16384 bytes",
        None,
        "gnutls-serv and gnutls-cli take messages of at most 4096 bytes",
    )],
};

fn gnutls(launch: &Launch) -> Result<Command, &'static str> {
    let Launch { case, port, .. } = launch;
    let port = port.to_string();
    let mut command;
    match launch.role {
        Role::Server => {
            if case.closer == Closer::Peer {
                return Err("gnutls-serv has no command that closes a connection");
            }
            // What it prints comes at once.
            command = Command::new("stdbuf");
            command.args(["-oL", "gnutls-serv", "--udp", "--echo", "--nodb", "--port", &port]);
            if case.demands {
                command.args(["--require-client-cert", "--verify-client-cert"]);
            } else {
                command.arg("--disable-client-cert");
            }
            if case.is_psk() {
                let file = certificates::folder().join("psk.txt");
                fs::write(&file, format!("{PSK_IDENTITY}:{PSK}\n"))
                    .map_err(|_| "its key file cannot be written")?;
                command.arg("--pskpasswd").arg(file);
            }
        }
        Role::Client => {
            command = Command::new("gnutls-cli");
            command.args(["--udp", "--mtu", "1400", "--port", &port, "127.0.0.1"]);
            if case.is_psk() {
                command.args(["--pskusername", PSK_IDENTITY, "--pskkey", PSK]);
            } else {
                command.args(["--verify-hostname", "localhost"]);
            }
            if case.resumes {
                command.arg("--resume");
            }
        }
    }
    command.arg("--x509cafile").arg(certificates::authority());
    if let Some(identity) = launch.identity {
        command.arg("--x509certfile").arg(identity.certificate());
        command.arg("--x509keyfile").arg(identity.key());
    }
    command.args(["--priority", &gnutls_priority(case)]);
    if case.alpn {
        command.args(["--alpn", ALPN]);
    }
    Ok(command)
}

fn gnutls_priority(case: &Case) -> String {
    let cipher = match case.suite {
        None => return "NORMAL".into(),
        Some(Suite::Psk) => return "NORMAL:-KX-ALL:+PSK".into(),
        Some(Suite::AesGcm) => "AES-128-GCM",
        Some(Suite::Cbc) => "AES-256-CBC",
        Some(Suite::ChaCha20) => "CHACHA20-POLY1305",
        Some(Suite::Ccm8) => "AES-128-CCM-8",
    };
    format!("NORMAL:-CIPHER-ALL:+{cipher}")
}

pub const BOTAN: Peer = Peer {
    name: "Botan",
    packages: &["botan"],
    build: nothing,
    version: || version_of("botan"),
    command: botan,
    ready: "Listening for new connections",
    closed: &["Alert: close_notify", "received alert close_notify"],
    lossy: (Identity::Rsa, None),
    more: &[],
    // Its server echoes whole lines by itself.
    echo: Echo::Piped(Pipe { close: None, by_line: true }),
    limits: &[
        ("each datagram lost in turn", Some(Role::Client), BOTAN_REPEATS_NOTHING),
        ("30 handshakes at 10 % loss", Some(Role::Client), BOTAN_REPEATS_NOTHING),
        ("echo of 16384 bytes", None, "tls_server and tls_client read datagrams of at most 4096 bytes"),
        ("restart on the same port", Some(Role::Client), NO_RESTART),
    ],
};

const BOTAN_REPEATS_NOTHING: &str = "tls_server does not serve its library's timer and sends nothing twice";

fn botan(launch: &Launch) -> Result<Command, &'static str> {
    let Launch { case, port, .. } = launch;
    if case.is_psk() {
        return Err("its programs have no option for a pre-shared key");
    }
    if case.demands || case.client.is_some() {
        return Err("its programs have no option for a client's certificate");
    }
    if case.resumes {
        return Err("its programs keep sessions in a database of SQLite only, which Debian leaves out");
    }
    if case.server == Identity::Wrong && launch.role == Role::Client {
        return Err("tls_client reports a wrong certificate and goes on");
    }
    let policy = format!("{}.policy", launch.scratch);
    if let Some(suite) = case.suite {
        let text = format!("ciphers = {}\nmacs = AEAD SHA-1\n", botan_cipher(suite));
        fs::write(&policy, text).map_err(|_| "its policy cannot be written")?;
    }
    let mut command = Command::new("stdbuf");
    command.args(["-o0", "botan"]);
    match launch.role {
        Role::Server => {
            if case.alpn {
                return Err("tls_server has no option for ALPN");
            }
            if case.closer == Closer::Peer {
                return Err("tls_server has no command that closes a connection");
            }
            command.arg("tls_server").arg(case.server.certificate()).arg(case.server.key());
        }
        Role::Client => {
            command.args(["tls_client", "127.0.0.1", "--skip-system-cert-store"]);
            command.arg(format!("--trusted-cas={}", certificates::authority().display()));
            if case.alpn {
                command.arg(format!("--next-protocols={ALPN}"));
            }
        }
    }
    command.args(["--type=udp", &format!("--port={port}")]);
    if case.suite.is_some() {
        command.arg(format!("--policy={policy}"));
    }
    Ok(command)
}

fn botan_cipher(suite: Suite) -> &'static str {
    match suite {
        Suite::AesGcm | Suite::Psk => "AES-128/GCM",
        Suite::Cbc => "AES-256",
        Suite::ChaCha20 => "ChaCha20Poly1305",
        Suite::Ccm8 => "AES-128/CCM(8)",
    }
}

pub const LIBCOAP: Peer = Peer {
    name: "libcoap with OpenSSL",
    packages: &["libcoap3-bin"],
    build: nothing,
    version: || version_of("libcoap3-bin"),
    command: |launch| libcoap(launch, "openssl"),
    ready: "",
    closed: &[],
    echo: Echo::Coap,
    lossy: RSA,
    more: &[],
    limits: &[RESTART_AT_OPENSSL],
};

pub const LIBCOAP_GNUTLS: Peer = Peer {
    name: "libcoap with GnuTLS",
    command: |launch| libcoap(launch, "gnutls"),
    limits: &[("restart on the same port", Some(Role::Client), NO_RESTART)],
    ..LIBCOAP
};

fn libcoap(launch: &Launch, library: &str) -> Result<Command, &'static str> {
    let Launch { case, port, .. } = launch;
    refuse_libcoap(case, launch.role)?;
    let mut command;
    match launch.role {
        Role::Server => {
            command = Command::new(format!("coap-server-{library}"));
            // DTLS is on the port after that.
            command.args(["-A", "127.0.0.1", "-p", &(port - 1).to_string()]);
        }
        Role::Client => {
            command = Command::new(format!("coap-client-{library}"));
            command.args(["-m", "get", "-B", "60"]);
        }
    }
    if case.is_psk() {
        command.args(if launch.role == Role::Server {
            ["-k", PSK, "-h", "hint"]
        } else {
            ["-k", PSK, "-u", PSK_IDENTITY]
        });
    }
    // Whom to trust for a chain; a server demands certificates with it.
    if launch.role == Role::Client && !case.is_psk() {
        command.arg("-R").arg(certificates::authority());
    } else if case.demands {
        command.arg("-C").arg(certificates::authority());
    }
    if let Some(identity) = launch.identity {
        command.arg("-c").arg(identity.certificate()).arg("-j").arg(identity.key());
    }
    if launch.role == Role::Server && !case.demands && !case.is_psk() {
        command.arg("-n");
    }
    if launch.role == Role::Client {
        command.arg(format!("coaps://127.0.0.1:{port}/"));
    }
    Ok(command)
}

fn refuse_libcoap(case: &Case, role: Role) -> Result<(), &'static str> {
    if case.alpn {
        return Err("its programs have no option for ALPN");
    }
    if case.suite.is_some_and(|suite| suite != Suite::Psk) {
        return Err("its programs have no option for cipher suites");
    }
    if case.resumes {
        return Err("its programs keep no session");
    }
    if case.sizes.len() > 1 {
        return Err("it answers requests and echoes nothing");
    }
    if case.closer == Closer::Ours {
        return Err("its programs do not show that they noticed");
    }
    if case.closer == Closer::Peer && role == Role::Server {
        return Err("coap-server closes no session");
    }
    Ok(())
}
