// SPDX-License-Identifier: MIT OR Apache-2.0
//! The timer as OpenSSL tells it, whatever the layout of its `struct timeval` (A19).

use super::pair::{Credentials, Pair};
use crate::error::Status;
use crate::ffi::qdtls_connection_timeout;
use crate::settings::TIMEOUT_INITIAL_MS;

#[test]
fn a19_the_time_left_is_openssls() {
    let pair = Pair::new(Credentials::Psk);
    assert_eq!([pair.client.init(), pair.client.start(&[])], [Status::Ok; 2]);
    let (mut running, mut microseconds) = (false, 0);
    // SAFETY: the pair owns the handle, so it is live; the outputs are locals.
    let status = unsafe { qdtls_connection_timeout(pair.client.handle, &mut running, &mut microseconds) };
    let most = TIMEOUT_INITIAL_MS.get() * 1000;
    assert_eq!((status, running), (Status::Ok, true));
    assert!((1..=most).contains(&microseconds), "{microseconds} of {most}");
}
