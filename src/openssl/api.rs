// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of OpenSSL functions that this library calls.
//!
//! One list has three uses: it defines the table's type, looks the functions up in a loaded library, and, with the
//! feature `linked`, takes them from the libraries linked at build time. Functions that openssl-sys declares are
//! checked against its declarations; the others are declared here from their manual pages. An OpenSSL may have been built
//! without those of SRTP.

use openssl_sys::{
    BIO, BIO_METHOD, EVP_MD, SSL, SSL_CIPHER, SSL_CTX, SSL_METHOD, SSL_SESSION, X509, X509_STORE_CTX,
    stack_st_X509,
};
use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};
use std::ptr::NonNull;

/// `BIO_ADDR` (BIO_ADDR(3)), which openssl-sys does not declare.
#[repr(C)]
pub struct BioAddr {
    _opaque: [u8; 0],
}

/// `SRTP_PROTECTION_PROFILE` (SSL_CTX_set_tlsext_use_srtp(3)).
#[repr(C)]
pub struct SrtpProtectionProfile {
    name: *const c_char,
    /// The number of RFC 5764, 4.1.2.
    pub id: c_ulong,
}

/// A function of a BIO method (BIO_meth_new(3)).
pub type BioRead = unsafe extern "C" fn(*mut BIO, *mut c_char, usize, *mut usize) -> c_int;
/// See [`BioRead`].
pub type BioWrite = unsafe extern "C" fn(*mut BIO, *const c_char, usize, *mut usize) -> c_int;
/// See [`BioRead`].
pub type BioPuts = unsafe extern "C" fn(*mut BIO, *const c_char) -> c_int;
/// See [`BioRead`].
pub type BioCtrl = unsafe extern "C" fn(*mut BIO, c_int, c_long, *mut c_void) -> c_long;
/// See [`BioRead`].
pub type BioLife = unsafe extern "C" fn(*mut BIO) -> c_int;
/// SSL_CTX_set_cookie_generate_cb(3).
pub type CookieGenerate = unsafe extern "C" fn(*mut SSL, *mut c_uchar, *mut c_uint) -> c_int;
/// SSL_CTX_set_cookie_verify_cb(3).
pub type CookieVerify = unsafe extern "C" fn(*mut SSL, *const c_uchar, c_uint) -> c_int;
/// SSL_set_psk_client_callback(3).
pub type PskClient =
    unsafe extern "C" fn(*mut SSL, *const c_char, *mut c_char, c_uint, *mut c_uchar, c_uint) -> c_uint;
/// SSL_set_psk_server_callback(3).
pub type PskServer = unsafe extern "C" fn(*mut SSL, *const c_char, *mut c_uchar, c_uint) -> c_uint;
/// SSL_CTX_set_alpn_select_cb(3).
pub type AlpnSelect = unsafe extern "C" fn(
    *mut SSL,
    *mut *const c_uchar,
    *mut c_uchar,
    *const c_uchar,
    c_uint,
    *mut c_void,
) -> c_int;
/// SSL_CTX_set_session_ticket_cb(3).
pub type TicketMake = unsafe extern "C" fn(*mut SSL, *mut c_void) -> c_int;
/// See [`TicketMake`].
pub type TicketUse =
    unsafe extern "C" fn(*mut SSL, *mut SSL_SESSION, *const c_uchar, usize, c_int, *mut c_void) -> c_int;
/// A callback of CRYPTO_get_ex_new_index(3); this library passes none.
pub type ExNew = Option<unsafe extern "C" fn()>;
/// SSL_CTX_set_generate_session_id(3).
pub type SessionId = unsafe extern "C" fn(*const SSL, *mut c_uchar, *mut c_uint) -> c_int;
/// SSL_set_info_callback(3).
pub type Info = unsafe extern "C" fn(*const SSL, c_int, c_int);
/// SSL_CTX_set_tlsext_servername_callback(3).
pub type ServerName = unsafe extern "C" fn(*mut SSL, *mut c_int, *mut c_void) -> c_int;
/// SSL_CTX_set_keylog_callback(3).
pub type KeyLog = unsafe extern "C" fn(*const SSL, *const c_char);
/// DTLS_set_timer_cb(3).
pub type TimerLength = unsafe extern "C" fn(*mut SSL, c_uint) -> c_uint;

macro_rules! table {
    (
        bound { $(fn $bound:ident($($bound_type:ty),*) $(-> $bound_return:ty)?;)* }
        declared { $(fn $declared:ident($($declared_type:ty),*) $(-> $declared_return:ty)?;)* }
        srtp { $(fn $srtp:ident($($srtp_type:ty),*) -> $srtp_return:ty;)* }
    ) => {
        /// OpenSSL's functions, under OpenSSL's names, in the order of [`NAMES`].
        #[allow(non_snake_case, missing_docs, reason = "the names and their manual pages are OpenSSL's")]
        #[repr(C)]
        pub struct Api {
            $(pub $bound: unsafe extern "C" fn($($bound_type),*) $(-> $bound_return)?,)*
            $(pub $declared: unsafe extern "C" fn($($declared_type),*) $(-> $declared_return)?,)*
            $(pub $srtp: Option<unsafe extern "C" fn($($srtp_type),*) -> $srtp_return>,)*
        }

        /// Each with the zero that ends it. One text needs no addresses that the dynamic linker would have to relocate.
        const NAMES: &str = concat!(
            $(stringify!($bound), "\0",)* $(stringify!($declared), "\0",)* $(stringify!($srtp), "\0",)*
        );

        /// How many must be there.
        const NEEDED: usize = [$(stringify!($bound),)* $(stringify!($declared),)*].len();

        impl Api {
            /// The functions of the libraries linked at build time.
            #[cfg(feature = "linked")]
            pub(super) fn linked() -> Self {
                unsafe extern "C" {
                    $(fn $declared($(_: $declared_type),*) $(-> $declared_return)?;)*
                    $(#[cfg(not(openssl_no_srtp))] fn $srtp($(_: $srtp_type),*) -> $srtp_return;)*
                }
                Self {
                    $($bound: openssl_sys::$bound,)*
                    $($declared,)*
                    $(
                        #[cfg(not(openssl_no_srtp))]
                        $srtp: Some($srtp),
                        #[cfg(openssl_no_srtp)]
                        $srtp: None,
                    )*
                }
            }
        }
    };
}

/// As many addresses as [`Api`] has functions.
type Addresses = [Option<NonNull<c_void>>; size_of::<Api>() / size_of::<Option<NonNull<c_void>>>()];

impl Api {
    /// Looks every function up by `symbol`. Returns the name of the first missing one as the error.
    pub(super) fn look_up(symbol: impl Fn(&CStr) -> Option<NonNull<c_void>>) -> Result<Self, &'static str> {
        let mut addresses: Addresses = [None; size_of::<Addresses>() / size_of::<Option<NonNull<c_void>>>()];
        for (index, (name, address)) in NAMES.split_inclusive('\0').zip(&mut addresses).enumerate() {
            *address = CStr::from_bytes_with_nul(name.as_bytes()).ok().and_then(&symbol);
            if address.is_none() && index < NEEDED {
                return Err(name.trim_end_matches('\0'));
            }
        }
        // SAFETY: `Api` is `repr(C)` and has nothing but pointers to functions, of which the first `NEEDED` are not null.
        // Each address is that of OpenSSL's exported function of the field's name. Its C type is the field's: the linked
        // table checks it against openssl-sys, or it is the one in the manual page.
        Ok(unsafe { std::mem::transmute::<Addresses, Self>(addresses) })
    }
}

table! {
    bound {
        fn OpenSSL_version_num() -> c_ulong;
        fn OpenSSL_version(c_int) -> *const c_char;
        fn ERR_clear_error();
        fn ERR_get_error() -> c_ulong;
        fn ERR_reason_error_string(c_ulong) -> *const c_char;
        fn ERR_lib_error_string(c_ulong) -> *const c_char;
        fn RAND_bytes(*mut c_uchar, c_int) -> c_int;
        fn EVP_get_digestbyname(*const c_char) -> *const EVP_MD;
        fn BIO_new(*const BIO_METHOD) -> *mut BIO;
        fn BIO_free_all(*mut BIO);
        fn BIO_set_data(*mut BIO, *mut c_void);
        fn BIO_get_data(*mut BIO) -> *mut c_void;
        fn BIO_set_init(*mut BIO, c_int);
        fn BIO_set_flags(*mut BIO, c_int);
        fn BIO_clear_flags(*mut BIO, c_int);
        fn BIO_ctrl(*mut BIO, c_int, c_long, *mut c_void) -> c_long;
        fn BIO_meth_new(c_int, *const c_char) -> *mut BIO_METHOD;
        fn BIO_meth_free(*mut BIO_METHOD);
        fn BIO_s_mem() -> *const BIO_METHOD;
        fn DTLS_client_method() -> *const SSL_METHOD;
        fn DTLS_server_method() -> *const SSL_METHOD;
        fn SSL_get_ex_data_X509_STORE_CTX_idx() -> c_int;
        fn SSL_free(*mut SSL);
        fn SSL_set_bio(*mut SSL, *mut BIO, *mut BIO);
        fn SSL_ctrl(*mut SSL, c_int, c_long, *mut c_void) -> c_long;
        fn SSL_do_handshake(*mut SSL) -> c_int;
        fn SSL_set_accept_state(*mut SSL);
        fn SSL_set_connect_state(*mut SSL);
        fn SSL_get_error(*const SSL, c_int) -> c_int;
        fn SSL_read(*mut SSL, *mut c_void, c_int) -> c_int;
        fn SSL_write(*mut SSL, *const c_void, c_int) -> c_int;
        fn SSL_shutdown(*mut SSL) -> c_int;
        fn SSL_get_peer_cert_chain(*const SSL) -> *mut stack_st_X509;
        fn SSL_get_current_cipher(*const SSL) -> *const SSL_CIPHER;
        fn SSL_version(*const SSL) -> c_int;
        fn SSL_get_session(*const SSL) -> *mut SSL_SESSION;
        fn SSL_get_rbio(*const SSL) -> *mut BIO;
        fn SSL_is_init_finished(*const SSL) -> c_int;
        fn SSL_get_client_random(*const SSL, *mut c_uchar, usize) -> usize;
        fn SSL_new(*mut SSL_CTX) -> *mut SSL;
        fn SSL_get_SSL_CTX(*const SSL) -> *mut SSL_CTX;
        fn SSL_CTX_up_ref(*mut SSL_CTX) -> c_int;
        fn SSL_CTX_free(*mut SSL_CTX);
        fn SSL_CTX_set_ex_data(*mut SSL_CTX, c_int, *mut c_void) -> c_int;
        fn SSL_CTX_get_ex_data(*const SSL_CTX, c_int) -> *mut c_void;
        fn SSL_set_session(*mut SSL, *mut SSL_SESSION) -> c_int;
        fn SSL_SESSION_free(*mut SSL_SESSION);
        fn SSL_SESSION_up_ref(*mut SSL_SESSION) -> c_int;
        fn SSL_session_reused(*const SSL) -> c_int;
        fn SSL_get_verify_result(*const SSL) -> c_long;
        fn SSL_set_alpn_protos(*mut SSL, *const c_uchar, c_uint) -> c_int;
        fn SSL_CTX_ctrl(*mut SSL_CTX, c_int, c_long, *mut c_void) -> c_long;
        fn SSL_get0_alpn_selected(*const SSL, *mut *const c_uchar, *mut c_uint);
    }
    declared {
        fn ERR_peek_error() -> c_ulong;
        fn ERR_set_mark() -> c_int;
        fn ERR_pop_to_mark() -> c_int;
        fn CRYPTO_malloc(usize, *const c_char, c_int) -> *mut c_void;
        fn CRYPTO_free(*mut c_void, *const c_char, c_int);
        fn HMAC(*const EVP_MD, *const c_void, c_int, *const c_uchar, usize, *mut c_uchar, *mut c_uint) -> *mut c_uchar;
        fn BIO_get_new_index() -> c_int;
        fn BIO_method_type(*const BIO) -> c_int;
        fn BIO_meth_set_read_ex(*mut BIO_METHOD, BioRead) -> c_int;
        fn BIO_meth_set_write_ex(*mut BIO_METHOD, BioWrite) -> c_int;
        fn BIO_meth_set_puts(*mut BIO_METHOD, BioPuts) -> c_int;
        fn BIO_meth_set_ctrl(*mut BIO_METHOD, BioCtrl) -> c_int;
        fn BIO_meth_set_create(*mut BIO_METHOD, BioLife) -> c_int;
        fn BIO_meth_set_destroy(*mut BIO_METHOD, BioLife) -> c_int;
        fn X509_STORE_CTX_get_ex_data(*mut X509_STORE_CTX, c_int) -> *mut c_void;
        fn X509_STORE_CTX_get_error(*mut X509_STORE_CTX) -> c_int;
        fn X509_STORE_CTX_get_error_depth(*mut X509_STORE_CTX) -> c_int;
        fn BIO_ADDR_new() -> *mut BioAddr;
        fn BIO_ADDR_free(*mut BioAddr);
        fn DTLSv1_listen(*mut SSL, *mut BioAddr) -> c_int;
        fn SSL_clear(*mut SSL) -> c_int;
        fn SSL_set1_host(*mut SSL, *const c_char) -> c_int;
        fn SSL_is_dtls(*const SSL) -> c_int;
        fn SSL_is_server(*const SSL) -> c_int;
        fn SSL_get_ssl_method(*const SSL) -> *const SSL_METHOD;
        fn CRYPTO_get_ex_new_index(c_int, c_long, *mut c_void, ExNew, ExNew, ExNew) -> c_int;
        fn SSL_alloc_buffers(*mut SSL) -> c_int;
        fn SSL_free_buffers(*mut SSL) -> c_int;
        fn SSL_pending(*const SSL) -> c_int;
        fn DTLS_set_timer_cb(*mut SSL, TimerLength);
        fn SSL_set_options(*mut SSL, u64) -> u64;
        fn SSL_clear_options(*mut SSL, u64) -> u64;
        fn SSL_CTX_set_alpn_select_cb(*mut SSL_CTX, AlpnSelect, *mut c_void);
        fn SSL_CTX_set_session_id_context(*mut SSL_CTX, *const c_uchar, c_uint) -> c_int;
        fn d2i_SSL_SESSION(*mut *mut SSL_SESSION, *mut *const c_uchar, c_long) -> *mut SSL_SESSION;
        fn i2d_SSL_SESSION(*mut SSL_SESSION, *mut *mut c_uchar) -> c_int;
        fn SSL_SESSION_get0_cipher(*const SSL_SESSION) -> *const SSL_CIPHER;
        fn SSL_CIPHER_get_kx_nid(*const SSL_CIPHER) -> c_int;
        fn SSL_CIPHER_get_id(*const SSL_CIPHER) -> u32;
        fn SSL_CIPHER_is_aead(*const SSL_CIPHER) -> c_int;
        fn SSL_CTX_set_generate_session_id(*mut SSL_CTX, SessionId) -> c_int;
        fn SSL_CTX_set_session_ticket_cb(*mut SSL_CTX, Option<TicketMake>, Option<TicketUse>, *mut c_void) -> c_int;
        fn SSL_SESSION_dup(*const SSL_SESSION) -> *mut SSL_SESSION;
        fn SSL_SESSION_has_ticket(*const SSL_SESSION) -> c_int;
        fn SSL_SESSION_get_ticket_lifetime_hint(*const SSL_SESSION) -> c_ulong;
        fn SSL_CTX_set_cookie_generate_cb(*mut SSL_CTX, CookieGenerate);
        fn SSL_CTX_set_cookie_verify_cb(*mut SSL_CTX, CookieVerify);
        fn SSL_set_psk_client_callback(*mut SSL, PskClient);
        fn SSL_set_psk_server_callback(*mut SSL, PskServer);
        fn SSL_SESSION_get_max_fragment_length(*const SSL_SESSION) -> u8;
        fn SSL_SESSION_get0_peer(*mut SSL_SESSION) -> *mut X509;
        fn SSL_CIPHER_get_protocol_id(*const SSL_CIPHER) -> u16;
        fn SSL_get_signature_type_nid(*const SSL, *mut c_int) -> c_int;
        fn SSL_get_peer_signature_type_nid(*const SSL, *mut c_int) -> c_int;
        fn SSL_export_keying_material(*mut SSL, *mut c_uchar, usize, *const c_char, usize, *const c_uchar, usize, c_int) -> c_int;
        fn SSL_set_info_callback(*mut SSL, Info);
        fn SSL_get_info_callback(*const SSL) -> Option<Info>;
        fn SSL_CTX_get_info_callback(*mut SSL_CTX) -> Option<Info>;
        fn SSL_get_servername(*const SSL, c_int) -> *const c_char;
        fn SSL_set_SSL_CTX(*mut SSL, *mut SSL_CTX) -> *mut SSL_CTX;
        fn SSL_CTX_callback_ctrl(*mut SSL_CTX, c_int, Option<ServerName>) -> c_long;
        fn SSL_CTX_get_keylog_callback(*const SSL_CTX) -> Option<KeyLog>;
        fn SSL_CTX_set_keylog_callback(*mut SSL_CTX, Option<KeyLog>);
    }
    srtp {
        fn SSL_set_tlsext_use_srtp(*mut SSL, *const c_char) -> c_int;
        fn SSL_get_selected_srtp_profile(*mut SSL) -> *const SrtpProtectionProfile;
    }
}
