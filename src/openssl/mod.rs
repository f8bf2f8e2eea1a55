// SPDX-License-Identifier: MIT OR Apache-2.0
//! The only module that calls OpenSSL.
//!
//! Two copies of OpenSSL in one process would corrupt each other's objects. Therefore the functions come from the
//! libraries linked at build time (feature `linked`), or from the library that made the caller's objects, found by
//! addresses inside it ([`attach`]). In both cases the caller's addresses are compared with the table's.

mod alerts;
pub mod api;
pub mod bio;
pub mod buffers;
pub mod callbacks;
pub mod context;
pub mod error_queue;
pub mod events;
pub mod hmac;
mod key_log;
pub mod parameters;
pub mod prepare;
pub mod random;
pub mod resumption;
#[cfg(feature = "rust")]
pub mod rust_openssl;
pub mod session;
mod session_id;
pub mod setup;
pub mod ssl;
mod timeval;

pub use api::{Api, BioAddr};

use crate::error::{Error, Result, Status};
use crate::log::{self, Kind};
use crate::os::Library;
use crate::settings;
use std::ffi::{CStr, c_ulong, c_void};
use std::sync::{Once, OnceLock};

/// The oldest supported version: 1.1.1 introduced DTLS_set_timer_cb(3) and SSL_OP_NO_RENEGOTIATION. Its
/// SSL_set_options(3) takes a long, since 3.0 a 64-bit integer. The table has one type for both, so systems whose long
/// has 32 bits need 3.0: 32-bit systems, and Windows.
const OLDEST: c_ulong = if size_of::<c_ulong>() == 8 { 0x1010_1000 } else { 0x3000_0000 };
/// The first unsupported version: a new major version may change the ABI.
const TOO_NEW: c_ulong = 0x5000_0000;
/// The newest minor of each major version from 3 on that was tested (`docs/platforms.md`).
const TESTED: [(c_ulong, c_ulong); 2] = [(3, 6), (4, 0)];

static API: OnceLock<Api> = OnceLock::new();

/// The function table.
pub fn api() -> Result<&'static Api> {
    #[cfg(feature = "linked")]
    if API.get().is_none() {
        let linked = supported(Api::linked())?;
        let api = API.get_or_init(|| linked);
        settings::read_environment();
        return Ok(api);
    }
    API.get().ok_or_else(|| {
        let reason = "no OpenSSL library is attached; call qdtls_openssl_attach first";
        Error::because(Status::OpensslMissing, "OpenSSL", reason)
    })
}

/// Uses the OpenSSL that contains the two addresses, or checks that it is the one already in use.
///
/// `ssl_anchor` is the result of the caller's `DTLS_client_method()`, `crypto_anchor` that of its `BIO_s_mem()`. Both
/// are static objects, of libssl and libcrypto, so that equal addresses mean the same instance.
pub fn attach(ssl_anchor: *const c_void, crypto_anchor: *const c_void) -> Result<()> {
    let in_use = if cfg!(feature = "linked") { Some(api()?) } else { API.get() };
    if let Some(api) = in_use {
        return same_library(api, ssl_anchor, crypto_anchor);
    }
    let found = supported(find(ssl_anchor, crypto_anchor)?)?;
    same_library(&found, ssl_anchor, crypto_anchor)?;
    // Another thread may have attached a library first: then compare with that.
    let api = API.get_or_init(|| found);
    settings::read_environment();
    same_library(api, ssl_anchor, crypto_anchor)
}

fn same_library(api: &Api, ssl_anchor: *const c_void, crypto_anchor: *const c_void) -> Result<()> {
    // SAFETY: both functions return the address of a static object and have no preconditions.
    let (ssl, crypto) = unsafe { ((api.DTLS_client_method)(), (api.BIO_s_mem)()) };
    if ssl.cast() == ssl_anchor && crypto.cast() == crypto_anchor {
        return Ok(());
    }
    Err(Error::because(
        Status::OpensslMismatch,
        "qdtls_openssl_attach",
        format_args!(
            "the caller's OpenSSL is not the one in use here ({}): two OpenSSL libraries in one process cannot share \
             connections",
            version_text(api)
        ),
    ))
}

fn find(ssl_anchor: *const c_void, crypto_anchor: *const c_void) -> Result<Api> {
    let missing = |what| Error::because(Status::OpensslMissing, "qdtls_openssl_attach", what);
    let ssl = Library::containing(ssl_anchor)
        .ok_or_else(|| missing("the libssl address given is not in a loaded library"))?;
    let crypto = Library::containing(crypto_anchor)
        .ok_or_else(|| missing("the libcrypto address given is not in a loaded library"))?;
    // In this order because dlsym(3) also finds functions of libcrypto in libssl, which depends on it.
    Api::look_up(|name| crypto.symbol(name).or_else(|| ssl.symbol(name))).map_err(|name| {
        Error::because(
            Status::OpensslUnsupported,
            "qdtls_openssl_attach",
            format_args!("the OpenSSL library in use does not export {name}"),
        )
    })
}

fn supported(api: Api) -> Result<Api> {
    // SAFETY: no preconditions.
    let version = unsafe { (api.OpenSSL_version_num)() };
    if (OLDEST..TOO_NEW).contains(&version) {
        if is_newer_than_tested(version) {
            static NOTICE: Once = Once::new();
            NOTICE.call_once(|| notice(&api));
        }
        return Ok(api);
    }
    Err(Error::because(
        Status::OpensslUnsupported,
        "OpenSSL",
        format_args!(
            "OpenSSL 1.1.1 (on 32-bit systems and Windows 3.0) to 4.x is supported, {} was found",
            version_text(&api)
        ),
    ))
}

/// Within a major version OpenSSL keeps its ABI, so a newer minor version is used.
fn is_newer_than_tested(version: c_ulong) -> bool {
    // OPENSSL_VERSION_NUMBER(3): 0xMNN00PP0.
    let (major, minor) = (version >> 28, (version >> 20) & 0xff);
    TESTED.iter().any(|&(tested_major, tested_minor)| major == tested_major && minor > tested_minor)
}

fn notice(api: &Api) {
    let version = version_text(api);
    log::report(
        Kind::NewerOpenssl,
        None,
        "OpenSSL",
        format_args!("{version} is newer than the versions that qdtls-rs was tested with"),
    );
}

/// The version text of the OpenSSL in use.
pub fn version() -> Result<&'static str> {
    api().map(version_text)
}

fn version_text(api: &Api) -> &'static str {
    const OPENSSL_VERSION: i32 = 0;
    // SAFETY: OpenSSL_version(3) returns a static C string for any argument.
    let text = unsafe { CStr::from_ptr((api.OpenSSL_version)(OPENSSL_VERSION)) };
    text.to_str().unwrap_or("OpenSSL")
}

#[cfg(all(test, feature = "linked"))]
mod tests {
    use super::*;

    #[test]
    fn r10_the_same_library_is_accepted_and_another_is_refused() {
        let api = api().expect("the linked OpenSSL is supported");
        // SAFETY: no preconditions.
        let (ssl, crypto) = unsafe { ((api.DTLS_client_method)().cast(), (api.BIO_s_mem)().cast()) };
        assert_eq!(attach(ssl, crypto), Ok(()));
        let other = attach(ssl, (&raw const API).cast()).expect_err("another libcrypto");
        assert_eq!(other.status(), Status::OpensslMismatch);
        assert!(other.reason().contains("two OpenSSL libraries"), "{other}");
    }

    #[test]
    fn e1_a_newer_minor_version_is_taken_and_a_newer_major_version_refused() {
        let judged = |version| ((OLDEST..TOO_NEW).contains(&version), is_newer_than_tested(version));
        for (version, expected) in [
            (0x1010_006f, (false, false)),
            (0x3000_0130, (true, false)),
            (0x3060_0050, (true, false)),
            (0x3070_0000, (true, true)),
            (0x4000_0030, (true, false)),
            (0x4010_0000, (true, true)),
            (0x5000_0000, (false, false)),
        ] {
            assert_eq!(judged(version), expected, "{version:#x}");
        }
    }

    #[test]
    fn r10_functions_are_found_in_the_library_around_an_address() {
        let api = api().expect("the linked OpenSSL is supported");
        // SAFETY: no preconditions.
        let (ssl, crypto) = unsafe { ((api.DTLS_client_method)().cast(), (api.BIO_s_mem)().cast()) };
        let found = find(ssl, crypto).expect("all functions");
        // By their results: on Windows a program has an address of its own for each function of a DLL.
        // SAFETY: no preconditions.
        let results = unsafe { ((found.DTLS_client_method)().cast(), (found.BIO_s_mem)().cast()) };
        assert_eq!(results, (ssl, crypto));
        let nowhere = find(std::ptr::without_provenance(1), crypto).err().expect("no library there");
        assert_eq!(nowhere.status(), Status::OpensslMissing);
    }

    #[test]
    fn a26_functions_of_other_libraries_are_not_found() {
        let api = api().expect("the linked OpenSSL is supported");
        // SAFETY: no preconditions.
        let (ssl, crypto) = unsafe { ((api.DTLS_client_method)().cast(), (api.BIO_s_mem)().cast()) };
        let [ssl, crypto] = [ssl, crypto].map(|anchor| Library::containing(anchor).expect("a library"));
        assert!(ssl.symbol(c"SSL_new").is_some() && crypto.symbol(c"BIO_new").is_some());
        // They are libraries that depend on each other and on the C library, unless they are in the program itself.
        if ssl.symbol(c"BIO_new").is_none() {
            assert!(crypto.symbol(c"SSL_new").is_none());
            assert!(ssl.symbol(c"malloc").is_none() && crypto.symbol(c"malloc").is_none());
        }
    }
}
