// SPDX-License-Identifier: MIT OR Apache-2.0
//! The meaning of the system's error numbers for a datagram that could not be sent (F4).
//!
//! `docs/abi.md` has the table. A number that is in neither list fails: sending again would not help, or it is unknown.

#![forbid(unsafe_code)]

use crate::host::SendResult;
use crate::os::send_error as number;
use crate::os::udp::REPORTS;

/// Buffers, interfaces, routes, addresses and packet filters come back; DTLS retransmits until then.
const LOST: [i32; 14] = [
    number::EAGAIN,
    number::EWOULDBLOCK,
    number::EINTR,
    number::EALREADY,
    number::ENOBUFS,
    number::ENOMEM,
    number::EADDRNOTAVAIL,
    number::ENETDOWN,
    number::ENETUNREACH,
    number::ENETRESET,
    number::EHOSTDOWN,
    number::EHOSTUNREACH,
    number::ENONET,
    // A packet filter, or a full table of its connections.
    number::EPERM,
];

/// Returns the result of a send that failed with `error`: `errno`, on Windows `WSAGetLastError()`.
pub fn result_of(error: i32) -> SendResult {
    if LOST.contains(&error) {
        SendResult::Lost
    } else if REPORTS.contains(&error) {
        SendResult::Refused
    } else {
        SendResult::Failed
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use libc::*;
    use std::collections::BTreeMap;

    /// The numbers that send(2), sendto(2), sendmsg(2), ip(7), ipv6(7) and udp(7) name, and those to which Linux turns
    /// ICMP errors.
    const NAMED: [(&str, i32); 41] = [
        ("EACCES", EACCES),
        ("EADDRINUSE", EADDRINUSE),
        ("EADDRNOTAVAIL", EADDRNOTAVAIL),
        ("EAFNOSUPPORT", EAFNOSUPPORT),
        ("EAGAIN", EAGAIN),
        ("EALREADY", EALREADY),
        ("EBADF", EBADF),
        ("ECONNABORTED", ECONNABORTED),
        ("ECONNREFUSED", ECONNREFUSED),
        ("ECONNRESET", ECONNRESET),
        ("EDESTADDRREQ", EDESTADDRREQ),
        ("EFAULT", EFAULT),
        ("EHOSTDOWN", EHOSTDOWN),
        ("EHOSTUNREACH", EHOSTUNREACH),
        ("EINTR", EINTR),
        ("EINVAL", EINVAL),
        ("EISCONN", EISCONN),
        ("EMSGSIZE", EMSGSIZE),
        ("ENETDOWN", ENETDOWN),
        ("ENETRESET", ENETRESET),
        ("ENETUNREACH", ENETUNREACH),
        ("ENOBUFS", ENOBUFS),
        ("ENODEV", ENODEV),
        ("ENOENT", ENOENT),
        ("ENOMEM", ENOMEM),
        ("ENONET", ENONET),
        ("ENOPKG", ENOPKG),
        ("ENOPROTOOPT", ENOPROTOOPT),
        ("ENOTCONN", ENOTCONN),
        ("ENOTSOCK", ENOTSOCK),
        ("EOPNOTSUPP", EOPNOTSUPP),
        ("EPERM", EPERM),
        ("EPIPE", EPIPE),
        ("EPROTO", EPROTO),
        ("ESOCKTNOSUPPORT", ESOCKTNOSUPPORT),
        ("EWOULDBLOCK", EWOULDBLOCK),
        // Of systems other than Linux, or of socket(7).
        ("ENXIO", ENXIO),
        ("EIO", EIO),
        ("ENOSYS", ENOSYS),
        ("EPROTONOSUPPORT", EPROTONOSUPPORT),
        ("ETIMEDOUT", ETIMEDOUT),
    ];

    /// The rows of the table in the guide: `| ENOBUFS, ENOMEM | LOST | ...`.
    fn documented() -> BTreeMap<&'static str, SendResult> {
        let guide = include_str!("../docs/abi.md");
        let mut table = BTreeMap::new();
        for line in guide.lines() {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let (Some(names), Some(result)) = (cells.next(), cells.next()) else { continue };
            let result = match result {
                "`LOST`" => SendResult::Lost,
                "`REFUSED`" => SendResult::Refused,
                "`FAILED`" => SendResult::Failed,
                _ => continue,
            };
            let names = names.split(", ").filter(|name| name.starts_with("`E"));
            table.extend(names.map(|name| (name.trim_matches('`'), result)));
        }
        table
    }

    #[test]
    fn f4_the_guide_lists_each_error_with_its_result() {
        let documented = documented();
        for (name, error) in NAMED {
            let listed = documented.get(name).copied();
            assert_eq!(result_of(error), listed.unwrap_or(SendResult::Failed), "{name}");
        }
        for name in documented.keys() {
            assert!(NAMED.iter().any(|(named, _)| named == name), "{name} is not tested");
        }
        assert_eq!(documented.values().filter(|result| **result != SendResult::Failed).count(), 18);
    }

    #[test]
    fn f4_a_number_that_is_none_fails() {
        for error in [0, -1, i32::MIN, i32::MAX] {
            assert_eq!(result_of(error), SendResult::Failed, "{error}");
        }
    }
}
