// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server's certificates: a self-signed one, and a chain whose Certificate message has about 6 KB.

use crate::system::{Run, cmd, shell, workspace};
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

const SUBJECT_NAME: &str = "subjectAltName=DNS:lossy.example";

/// Makes all files that `dtls_lossy` reads, and returns their folder.
pub fn make() -> Result<PathBuf> {
    let folder = workspace::target("lossy");
    workspace::fresh(&folder)?;
    make_ecdsa(&folder)?;
    make_chain(&folder)?;
    Ok(folder)
}

fn make_ecdsa(folder: &Path) -> Result<()> {
    let (certificate, key) = (folder.join("ecdsa.crt"), folder.join("ecdsa.key"));
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    let subject = ["-subj", "/CN=lossy.example", "-addext", SUBJECT_NAME];
    let request = cmd!(shell(), "openssl req -x509 -nodes -days 2 {kind...} {subject...}");
    request.arg("-keyout").arg(key).arg("-out").arg(&certificate).quietly()?;
    // It is its own root.
    fs::copy(certificate, folder.join("ecdsa-root.crt"))?;
    Ok(())
}

/// A leaf with a key of 2048 bits below two intermediate certificates with keys of 4096 bits.
fn make_chain(folder: &Path) -> Result<()> {
    let authority = "basicConstraints=critical,CA:TRUE";
    make_certificate(folder, "chain-root", None, 4096, authority)?;
    make_certificate(folder, "upper", Some("chain-root"), 4096, authority)?;
    make_certificate(folder, "lower", Some("upper"), 4096, authority)?;
    make_certificate(folder, "chain", Some("lower"), 2048, SUBJECT_NAME)?;
    let parts = ["chain", "lower", "upper"].map(|name| folder.join(name).with_extension("crt"));
    let sizes = parts.iter().map(|part| cmd!(shell(), "openssl x509 -in {part} -outform DER").output());
    let size: usize = sizes.map(|der| Ok(3 + der?.stdout.len())).sum::<Result<usize>>()?;
    ensure!((5500..6500).contains(&size), "a chain of {size} bytes");
    let chain = parts.iter().map(fs::read_to_string).collect::<Result<String, _>>()?;
    Ok(fs::write(folder.join("chain.crt"), chain)?)
}

fn make_certificate(
    folder: &Path,
    name: &str,
    issuer: Option<&str>,
    bits: u32,
    extension: &str,
) -> Result<()> {
    let file = |name: &str, ending: &str| folder.join(format!("{name}.{ending}"));
    let (certificate, key) = (file(name, "crt"), file(name, "key"));
    let signer = issuer.map_or_else(Vec::new, |issuer| {
        vec!["-CA".into(), file(issuer, "crt"), "-CAkey".into(), file(issuer, "key")]
    });
    // Real chains carry addresses of lists and policies; a comment takes their place.
    let comment = format!("nsComment={}", "c".repeat(COMMENT));
    let (subject, key_kind) = (format!("/O=qdtls-rs/CN={name}"), format!("rsa:{bits}"));
    let request = cmd!(shell(), "openssl req -x509 -nodes -days 2 -newkey {key_kind} -subj {subject}");
    let request = request.args(["-addext", extension, "-addext", &comment]).args(signer);
    request.arg("-keyout").arg(key).arg("-out").arg(certificate).quietly()
}

/// Bytes, so that the chain has its size.
const COMMENT: usize = 700;
