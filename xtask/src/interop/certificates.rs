// SPDX-License-Identifier: MIT OR Apache-2.0
//! The certificates of both sides, made once by the openssl program.

use crate::system::{Run, cmd, shell, workspace};
use anyhow::Result;
use std::fs;
use std::path::PathBuf;
use strum::IntoStaticStr;

/// Whose certificate a side shows. Both have their own authority's, but for `Wrong`.
#[derive(Clone, Copy, Debug, PartialEq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Identity {
    Ecdsa,
    Rsa,
    /// 6 KB: an RSA certificate below three authorities.
    Chain,
    /// An ECDSA certificate by an authority that nobody trusts.
    Wrong,
}

const AUTHORITY: &str = "authority";

impl Identity {
    /// The certificate, and those between it and the authority.
    pub fn certificate(self) -> PathBuf {
        file(self.into(), "pem")
    }

    /// In PKCS #8.
    pub fn key(self) -> PathBuf {
        file(self.into(), "key")
    }
}

/// The certificate that both sides trust.
pub fn authority() -> PathBuf {
    file(AUTHORITY, "pem")
}

/// For programs that have only file names of their own for pre-shared keys.
pub fn folder() -> PathBuf {
    workspace::target("interop/certificates")
}

fn file(name: &str, extension: &str) -> PathBuf {
    folder().join(name).with_extension(extension)
}

/// Makes what an earlier run has not.
pub fn make() -> Result<()> {
    let complete = folder().join("complete");
    if complete.exists() {
        return Ok(());
    }
    workspace::fresh(&folder())?;
    fs::write(file("openssl", "cnf"), CONFIGURATION)?;
    const EC: [&str; 3] = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    sign(AUTHORITY, None, "authority", &["rsa:2048"])?;
    sign("stranger", None, "authority", &EC)?;
    sign(Identity::Ecdsa.into(), Some(AUTHORITY), "leaf", &EC)?;
    sign(Identity::Rsa.into(), Some(AUTHORITY), "leaf", &["rsa:2048"])?;
    sign(Identity::Wrong.into(), Some("stranger"), "leaf", &EC)?;
    sign("upper", Some(AUTHORITY), "authority", &["rsa:4096"])?;
    sign("middle", Some("upper"), "authority", &["rsa:4096"])?;
    sign("lower", Some("middle"), "authority", &["rsa:4096"])?;
    sign(Identity::Chain.into(), Some("lower"), "leaf", &["rsa:4096"])?;
    let chain = ["chain", "lower", "middle", "upper"].map(|name| workspace::read(file(name, "pem")));
    fs::write(Identity::Chain.certificate(), chain.into_iter().collect::<Result<String>>()?)?;
    Ok(fs::write(complete, "")?)
}

/// One that signs itself, without an issuer.
fn sign(name: &str, issuer: Option<&str>, extensions: &str, new_key: &[&str]) -> Result<()> {
    let (certificate, key) = (file(name, "pem"), file(name, "key"));
    let subject = if extensions == "leaf" { "/CN=localhost" } else { &format!("/CN=interop {name}") };
    let (config, days) = (file("openssl", "cnf"), "3650");
    let issuer = issuer.map(|issuer| [file(issuer, "pem"), file(issuer, "key")]);
    let by = issuer
        .iter()
        .flat_map(|[pem, key]| ["-CA".as_ref(), pem.as_os_str(), "-CAkey".as_ref(), key.as_os_str()]);
    cmd!(
        shell(),
        "openssl req -x509 -nodes -days {days} -subj {subject} -config {config} -extensions {extensions}"
    )
    .arg("-newkey")
    .args(new_key)
    .arg("-keyout")
    .arg(&key)
    .arg("-out")
    .arg(&certificate)
    .args(by)
    .quietly()
}

const CONFIGURATION: &str = "\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
subjectAltName = DNS:localhost, IP:127.0.0.1
";
