// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client may send as server name: a host name in ASCII, without the dot of the root (RFC 6066, 3).

#![forbid(unsafe_code)]

use crate::error::{Error, Result, Status};
use crate::memory;
use std::ffi::CString;

/// The longest name: 255 bytes in a DNS message, which has a length byte for each label and for the root (RFC 1035,
/// 2.3.4).
const MAX_NAME: usize = 253;
/// RFC 1035, 2.3.4.
const MAX_LABEL: usize = 63;

/// Returns the server name for `name`, without one trailing dot. Refuses what is no host name, with the reason.
pub fn parse(name: &[u8]) -> Result<CString> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    if !name.is_ascii() {
        return Err(refused("the name is not in ASCII: use its A-labels (RFC 5890)"));
    }
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(refused("a host name has 1 to 253 characters (RFC 1035, 2.3.4)"));
    }
    if is_address(name) {
        return Err(refused("an IP address is no server name (RFC 6066, 3)"));
    }
    for label in name.split(|byte| *byte == b'.') {
        check(label)?;
    }
    memory::c_string(name).ok_or_else(|| Error::no_memory("server name"))
}

/// Letters, digits and hyphens, which are not at an end (RFC 1123, 2.1); and underscores, which hosts have all the same.
fn check(label: &[u8]) -> Result<()> {
    if label.is_empty() || label.len() > MAX_LABEL {
        return Err(refused("a label has 1 to 63 characters (RFC 1035, 2.3.4)"));
    }
    if !label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(refused("a label has letters, digits and hyphens only (RFC 1123, 2.1)"));
    }
    if label.starts_with(b"-") || label.ends_with(b"-") {
        return Err(refused("a label neither begins nor ends with a hyphen (RFC 1123, 2.1)"));
    }
    Ok(())
}

/// Returns whether `name` is an IP address in any textual form. The last label of a host name is not a number (RFC
/// 1123, 2.1); that of an IPv4 address is, also where inet_aton(3) takes fewer numbers, octal and hexadecimal ones. An IPv6
/// address has two colons at least (RFC 4291, 2.2).
fn is_address(name: &[u8]) -> bool {
    let without_zone = name.split(|byte| *byte == b'%').next().unwrap_or_default();
    let is_of_v6 = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let is_v6 =
        without_zone.iter().filter(|byte| **byte == b':').count() >= 2 && without_zone.iter().all(is_of_v6);
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix(b"0x").or_else(|| last.strip_prefix(b"0X"));
    let is_number = match hexadecimal {
        Some(digits) => digits.iter().all(u8::is_ascii_hexdigit),
        None => !last.is_empty() && last.iter().all(u8::is_ascii_digit),
    };
    is_v6 || is_number
}

fn refused(reason: &'static str) -> Error {
    Error::because(Status::InvalidArgument, "server name", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels of 63 characters and a last one, `length` characters in all.
    fn long(length: usize) -> String {
        let mut name = format!("{}.", "a".repeat(MAX_LABEL)).repeat(length / (MAX_LABEL + 1));
        name.push_str(&"b".repeat(length - name.len()));
        name
    }

    fn sent_for(name: &str) -> Option<String> {
        parse(name.as_bytes()).ok().map(|name| name.into_string().expect("ASCII"))
    }

    #[test]
    fn f6_a_host_name_is_sent_without_the_dot_of_the_root() {
        let longest = long(MAX_NAME);
        for name in [
            "bob.example",
            "BOB.Example",
            "localhost",
            "xn--bcher-kva.example",
            "1.bob.example",
            "my_host.example",
            "a-b.c",
            "0x.example",
            "0xg",
            "3com",
            longest.as_str(),
        ] {
            assert_eq!(sent_for(name).as_deref(), Some(name));
            assert_eq!(sent_for(&format!("{name}.")).as_deref(), Some(name));
        }
    }

    #[test]
    fn e6_what_is_no_host_name_is_refused_with_the_reason() {
        let rows: &[(&str, &[&str])] = &[
            ("ASCII", &["b\u{fc}cher.example", "bob\u{3002}example"]),
            ("253", &["", ".", &long(254), &long(255), &long(256), &long(400)]),
            (
                "IP address",
                &[
                    "127.0.0.1",
                    "127.0.0.1.",
                    "127.1",
                    "2130706433",
                    "0177.0.0.1",
                    "0x7f.0.0.1",
                    "0x7f000001",
                    "127.0.0.0x1",
                    "127.0.0.0X",
                    "1.2.3.4.5",
                    "256.256.256.256",
                    "bob.1",
                    "::1",
                    "::",
                    "::ffff:127.0.0.1",
                    "fe80::1%eth0",
                    "2001:db8::1",
                ],
            ),
            ("63", &["..", "bob..example", ".bob.example", "bob.example..", &"a".repeat(64)]),
            (
                "letters",
                &["bob example", "bob\0example", "[::1]", "bob:443", "*.example", "bob/x", "b\u{7f}b"],
            ),
            ("hyphen", &["-bob.example", "bob-.example", "bob.-", "-"]),
        ];
        for (reason, names) in rows {
            for name in *names {
                let error = parse(name.as_bytes()).expect_err(name);
                assert_eq!(error.status(), Status::InvalidArgument, "{name}");
                assert!(error.reason().contains(reason), "{name}: {}", error.reason());
            }
        }
        assert!(parse(&[0xff; 3]).is_err());
    }
}
