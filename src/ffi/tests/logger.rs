// SPDX-License-Identifier: MIT OR Apache-2.0
//! A logger that calls the library back.

use super::alone::is_alone;
use super::pair::{Credentials, Outcome, Pair};
use crate::error::Status;
use crate::ffi::{qdtls_set_logger, qdtls_setting_get};
use crate::settings::{COOKIE_ROTATION_S, STRICT_ALERTS};
use std::ffi::c_char;
use std::sync::atomic::{AtomicU32, Ordering};

static LINES: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn call_back(_line: *const c_char) {
    LINES.fetch_add(1, Ordering::Relaxed);
    for number in 0..6 {
        let mut value = 0;
        // SAFETY: the output is a local.
        assert_eq!(unsafe { qdtls_setting_get(number, &mut value) }, Status::Ok);
    }
    assert_eq!(Pair::new(Credentials::Psk).connect(), Outcome::Connected);
}

#[test]
fn a9_a_logger_may_call_back_while_the_environment_is_read() {
    let name = "ffi::tests::logger::a9_a_logger_may_call_back_while_the_environment_is_read";
    if !is_alone(name, &[("QDTLS_COOKIE_ROTATION_S", "soon"), ("QDTLS_STRICT_ALERTS", "1")]) {
        return;
    }
    // SAFETY: the logger can be called on any thread, always.
    assert_eq!(unsafe { qdtls_set_logger(Some(call_back)) }, Status::Ok);
    assert_eq!(Pair::new(Credentials::Psk).connect(), Outcome::Connected);
    assert_eq!([COOKIE_ROTATION_S.get(), STRICT_ALERTS.get()], [3600, 1]);
    assert_eq!(LINES.load(Ordering::Relaxed), 1);
}
