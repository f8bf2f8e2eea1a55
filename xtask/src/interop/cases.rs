// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each peer is tried with.

use crate::interop::certificates::Identity;
use derive_more::Display;

/// Ours.
#[derive(Clone, Copy, Debug, Display, PartialEq)]
pub enum Role {
    #[display("client")]
    Client,
    #[display("server")]
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Suite {
    AesGcm,
    Cbc,
    ChaCha20,
    Ccm8,
    Psk,
}

impl Suite {
    /// OpenSSL's name, also in Qt.
    pub fn openssl(self) -> &'static str {
        match self {
            Self::AesGcm => "ECDHE-ECDSA-AES128-GCM-SHA256",
            Self::Cbc => "ECDHE-ECDSA-AES256-SHA",
            Self::ChaCha20 => "ECDHE-ECDSA-CHACHA20-POLY1305",
            Self::Ccm8 => "ECDHE-ECDSA-AES128-CCM8",
            Self::Psk => "PSK-AES128-GCM-SHA256",
        }
    }

    /// The name in the registry of IANA.
    pub fn iana(self) -> &'static str {
        match self {
            Self::AesGcm => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            Self::Cbc => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
            Self::ChaCha20 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            Self::Ccm8 => "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
            Self::Psk => "TLS_PSK_WITH_AES_128_GCM_SHA256",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Closer {
    /// Nobody is asked to notice it.
    Anyone,
    Ours,
    Peer,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    Success,
    /// One side refuses the other's certificate, or that there is none.
    RefusalOfServer,
    RefusalOfClient,
    /// Complete and one byte exchanged within three seconds, whichever datagram is lost.
    AnyOneLost,
    /// So many handshakes, each complete within half a minute.
    AtTenPercentLoss(u32),
}

/// What both sides are set to.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: &'static str,
    pub expected: Expected,
    pub server: Identity,
    pub client: Option<Identity>,
    /// The server demands a client's certificate.
    pub demands: bool,
    /// Which of both, or what the sides agree on.
    pub suite: Option<Suite>,
    pub alpn: bool,
    pub resumes: bool,
    pub restarts: bool,
    /// The peer sends a HelloRequest, and the same again since no hello comes, before it echoes.
    pub renegotiates: bool,
    /// Ours, as a server.
    pub cookies: bool,
    /// Ours shows the chain at this MTU hint.
    pub mtu: Option<u16>,
    pub sizes: &'static [u32],
    pub closer: Closer,
}

pub const ALPN: &str = "interop";
/// Both sides' pre-shared key, in hexadecimal, and the client's name for it.
pub const PSK: &str = "00112233445566778899aabbccddeeff";
pub const PSK_IDENTITY: &str = "interop";

const PLAIN: Case = Case {
    name: "",
    expected: Expected::Success,
    server: Identity::Ecdsa,
    client: None,
    demands: false,
    suite: None,
    alpn: false,
    resumes: false,
    restarts: false,
    renegotiates: false,
    cookies: true,
    mtu: None,
    sizes: &[1],
    closer: Closer::Anyone,
};

/// For ours as a client, with a peer that repeats its request (I8).
pub const RENEGOTIATION: Case = Case { name: "HelloRequest, repeated", renegotiates: true, ..PLAIN };

/// The cases of a role, with every peer. Both sides show `lossy` where datagrams are lost.
pub fn all(role: Role, lossy: (Identity, Option<Identity>)) -> Vec<Case> {
    let mutual = Case { client: Some(Identity::Ecdsa), demands: true, ..PLAIN };
    let lossy = Case { server: lossy.0, client: lossy.1, demands: lossy.1.is_some(), ..PLAIN };
    let chain = match role {
        Role::Client => Case { client: Some(Identity::Chain), demands: true, ..PLAIN },
        Role::Server => Case { server: Identity::Chain, ..PLAIN },
    };
    let suite = |name, suite| Case { name, suite: Some(suite), ..PLAIN };
    let refused = |name, case: Case| Case { name, expected: Expected::RefusalOfClient, ..case };
    let mut cases = vec![
        Case { name: "ECDSA certificate", ..PLAIN },
        Case { name: "RSA certificate", server: Identity::Rsa, ..PLAIN },
        suite("pre-shared key", Suite::Psk),
        Case { name: "client certificate", ..mutual.clone() },
        refused("no client certificate", Case { client: None, ..mutual.clone() }),
        refused("wrong client certificate", Case { client: Some(Identity::Wrong), ..mutual }),
        Case {
            name: "wrong server certificate",
            expected: Expected::RefusalOfServer,
            server: Identity::Wrong,
            ..PLAIN
        },
        Case { name: "chain of 6 KB, MTU 512", mtu: Some(512), ..chain.clone() },
        Case { name: "chain of 6 KB, MTU 1280", mtu: Some(1280), ..chain },
        suite("AES-GCM", Suite::AesGcm),
        suite("AES-CBC", Suite::Cbc),
        suite("ChaCha20", Suite::ChaCha20),
        suite("AES-CCM8", Suite::Ccm8),
        Case { name: "ALPN", alpn: true, ..PLAIN },
        Case { name: "resumption", resumes: true, ..PLAIN },
        Case { name: "echo of 1200 bytes", sizes: &[1, 1200], ..PLAIN },
        Case { name: "echo of 16384 bytes", sizes: &[1, 16384], ..PLAIN },
        Case { name: "closed by ours", closer: Closer::Ours, ..PLAIN },
        Case { name: "closed by the peer", closer: Closer::Peer, ..PLAIN },
        Case { name: "restart on the same port", restarts: true, ..PLAIN },
        Case { name: "each datagram lost in turn", expected: Expected::AnyOneLost, ..lossy.clone() },
        Case { name: "30 handshakes at 10 % loss", expected: Expected::AtTenPercentLoss(30), ..lossy },
    ];
    if role == Role::Server {
        cases.insert(1, Case { name: "no cookie", cookies: false, ..PLAIN });
    }
    cases
}

/// Those that `cargo xtask test` runs.
pub const QUICK: [&str; 7] = [
    "ECDSA certificate",
    "RSA certificate",
    "pre-shared key",
    "client certificate",
    "wrong server certificate",
    "chain of 6 KB, MTU 512",
    "closed by the peer",
];

impl Case {
    /// The identity of a side, which shows one only where the case says so.
    pub fn identity(&self, role: Role) -> Option<Identity> {
        match role {
            _ if self.is_psk() => None,
            Role::Server => Some(self.server),
            Role::Client => self.client,
        }
    }

    pub fn is_psk(&self) -> bool {
        self.suite == Some(Suite::Psk)
    }

    pub fn has_loss(&self) -> bool {
        matches!(self.expected, Expected::AnyOneLost | Expected::AtTenPercentLoss(_))
    }

    pub fn is_refusal(&self) -> bool {
        matches!(self.expected, Expected::RefusalOfClient | Expected::RefusalOfServer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_cases_exist() {
        for role in [Role::Client, Role::Server] {
            let names: Vec<_> = all(role, (Identity::Rsa, None)).iter().map(|case| case.name).collect();
            assert!(QUICK.iter().all(|name| names.contains(name)), "{names:?}");
        }
    }
}
