// SPDX-License-Identifier: MIT OR Apache-2.0
//! libcrypto's plain SHA-1 and SHA-2 functions (SHA256_Init(3)).
//!
//! All versions from 1.1.1 to 4.0 export them, but they are deprecated, and a libcrypto may be built without them.
//! Therefore they are looked up at run time in the library in use, linked or not; HMAC(3) replaces missing ones. They
//! bypass the providers: they are not used for a key that is prepared while OpenSSL is restricted to FIPS-approved
//! implementations (EVP_default_properties_is_fips_enabled(3)), or has other providers than its default one, as where
//! only the FIPS provider is loaded (OSSL_PROVIDER_available(3), A25).

use super::{Hash, MAX_MAC, Mac};
use crate::error::{Error, Result, Status};
use crate::openssl::api;
use crate::os::Library;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use zeroize::Zeroize;

type Init = unsafe extern "C" fn(*mut State) -> c_int;
type Update = unsafe extern "C" fn(*mut State, *const c_void, usize) -> c_int;
type Final = unsafe extern "C" fn(*mut u8, *mut State) -> c_int;
type IsFips = unsafe extern "C" fn(*mut c_void) -> c_int;
type IsAvailable = unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int;

/// Larger than the largest of the structures, SHA512_CTX with 216 bytes.
pub const STATE_LENGTH: usize = 256;

/// A SHA_CTX, SHA256_CTX or SHA512_CTX. Wiped on drop, because a state with a pad is equivalent to the key.
#[repr(C, align(8))]
struct State([u8; STATE_LENGTH]);

impl Drop for State {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: 256 bytes aligned to 8 have the layout of 32 `u64`, and `&mut self` is exclusive. Words are wiped
        // faster than bytes.
        unsafe { &mut *self.0.as_mut_ptr().cast::<[u64; STATE_LENGTH / 8]>() }.zeroize();
    }
}

/// The functions of one hash.
pub struct Sha {
    init: Init,
    update: Update,
    finish: Final,
    /// The sizes of a block and of the output in bytes (FIPS 180-4, 1).
    block: usize,
    output: usize,
}

impl Sha {
    /// The functions for `hash`, if they exist and may be used.
    pub fn of(hash: Hash) -> Option<&'static Self> {
        static FOUND: OnceLock<Found> = OnceLock::new();
        let found = match FOUND.get() {
            Some(found) => found,
            None => FOUND.get_or_init(Found::in_use),
        };
        let known = found.hashes.iter().find(|(name, _)| *name == hash)?;
        known.1.as_ref().filter(|_| found.may_bypass_providers())
    }

    /// Writes the state after the block of an HMAC key and a pad (RFC 2104, 2) to `output`.
    pub fn absorb_pad(&self, key: &[u8], pad: u8, output: &mut [u8]) -> Result<()> {
        let mut block = Block([0; MAX_BLOCK]);
        match key.len() > self.block {
            true => self.digest(key, &mut block)?,
            false => block.0.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte),
        }
        block.0.iter_mut().for_each(|byte| *byte ^= pad);
        let mut state = self.fresh()?;
        self.absorb(&mut state, block.0.get(..self.block).unwrap_or_default())?;
        output.copy_from_slice(&state.0);
        Ok(())
    }

    /// Continues from a state that [`Sha::absorb_pad`] wrote: adds `message` and returns the hash.
    pub fn go_on(&self, state: &[u8], message: &[u8]) -> Result<Mac> {
        let mut copy = State([0; STATE_LENGTH]);
        copy.0.copy_from_slice(state);
        self.absorb(&mut copy, message)?;
        self.end(&mut copy)
    }

    /// Writes the hash of a key to the start of `block`. It is equivalent to the key, and wiped with the block (A25).
    fn digest(&self, key: &[u8], block: &mut Block) -> Result<()> {
        let mut state = self.fresh()?;
        self.absorb(&mut state, key)?;
        // SAFETY: the block is longer than the longest hash. `fresh` has initialised the state.
        done(unsafe { (self.finish)(block.0.as_mut_ptr(), &mut state) })
    }

    fn fresh(&self) -> Result<State> {
        let mut state = State([0; STATE_LENGTH]);
        // SAFETY: the state is at least as large as this hash's structure and aligned for its 64-bit words.
        done(unsafe { (self.init)(&mut state) })?;
        Ok(state)
    }

    fn absorb(&self, state: &mut State, bytes: &[u8]) -> Result<()> {
        // SAFETY: the slice is readable for its length. `init` of the same hash has initialised the state, or it is a
        // copy of one that was.
        done(unsafe { (self.update)(state, bytes.as_ptr().cast(), bytes.len()) })
    }

    fn end(&self, state: &mut State) -> Result<Mac> {
        let mut output = [0; MAX_MAC];
        // SAFETY: the output holds the 64 bytes of the longest hash, SHA-512. `init` of the same hash has initialised
        // the state, or it is a copy of one that was.
        done(unsafe { (self.finish)(output.as_mut_ptr(), state) })?;
        let mut mac = Mac::default();
        mac.push(output.get(..self.output).unwrap_or_default());
        Ok(mac)
    }
}

#[inline]
fn done(result: c_int) -> Result<()> {
    if result == 1 { Ok(()) } else { Err(Error::new(Status::InitFailed, "SHA")) }
}

/// The largest block, of SHA-384 and SHA-512.
const MAX_BLOCK: usize = 128;

/// A key with a pad, wiped on drop.
struct Block([u8; MAX_BLOCK]);

impl Drop for Block {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The functions of the OpenSSL in use.
struct Found {
    hashes: [(Hash, Option<Sha>); 5],
    is_fips: Option<IsFips>,
    is_available: Option<IsAvailable>,
}

impl Found {
    fn in_use() -> Self {
        let libcrypto = libcrypto();
        let find = |name: &CStr| libcrypto.as_ref()?.symbol(name);
        let sha = |block, output, [init, update, finish]: [&CStr; 3]| {
            let (init, update, finish) = (find(init)?, find(update)?, find(finish)?);
            // SAFETY: the addresses are those of libcrypto's functions of these names, which have the target types
            // (SHA256_Init(3)).
            unsafe {
                Some(Sha {
                    init: std::mem::transmute::<ptr::NonNull<c_void>, Init>(init),
                    update: std::mem::transmute::<ptr::NonNull<c_void>, Update>(update),
                    finish: std::mem::transmute::<ptr::NonNull<c_void>, Final>(finish),
                    block,
                    output,
                })
            }
        };
        let is_fips = find(c"EVP_default_properties_is_fips_enabled").map(|found| {
            // SAFETY: the address is that of libcrypto's function of this name, which has the target type
            // (EVP_default_properties_is_fips_enabled(3)).
            unsafe { std::mem::transmute::<ptr::NonNull<c_void>, IsFips>(found) }
        });
        let is_available = find(c"OSSL_PROVIDER_available").map(|found| {
            // SAFETY: the address is that of libcrypto's function of this name, which has the target type
            // (OSSL_PROVIDER_available(3)).
            unsafe { std::mem::transmute::<ptr::NonNull<c_void>, IsAvailable>(found) }
        });
        Self {
            hashes: [
                (Hash::Sha256, sha(64, 32, [c"SHA256_Init", c"SHA256_Update", c"SHA256_Final"])),
                (Hash::Sha1, sha(64, 20, [c"SHA1_Init", c"SHA1_Update", c"SHA1_Final"])),
                (Hash::Sha224, sha(64, 28, [c"SHA224_Init", c"SHA224_Update", c"SHA224_Final"])),
                (Hash::Sha384, sha(128, 48, [c"SHA384_Init", c"SHA384_Update", c"SHA384_Final"])),
                (Hash::Sha512, sha(128, 64, [c"SHA512_Init", c"SHA512_Update", c"SHA512_Final"])),
            ],
            is_fips,
            is_available,
        }
    }

    /// Returns whether the providers would use the same functions. OpenSSL 1.1.1 has no providers.
    fn may_bypass_providers(&self) -> bool {
        // SAFETY: the function takes a library context; null is the default one.
        let only_fips = self.is_fips.is_some_and(|is_fips| unsafe { is_fips(ptr::null_mut()) } == 1);
        let has_default = self.is_available.is_none_or(|is_available| {
            // SAFETY: the function takes a library context, null is the default one, and a C string.
            unsafe { is_available(ptr::null_mut(), c"default".as_ptr()) == 1 }
        });
        has_default && !only_fips
    }
}

/// The library itself.
fn libcrypto() -> Option<Library> {
    // SAFETY: no preconditions. The result is an address in libcrypto.
    let anchor = api().ok().map(|api| unsafe { (api.BIO_s_mem)() }.cast());
    anchor.and_then(Library::containing)
}

#[cfg(all(test, feature = "linked"))]
pub(super) mod tests {
    use super::*;
    use crate::ffi::tests::alone::is_alone;

    /// The function that does not work.
    #[derive(Clone, Copy, Debug)]
    pub enum Failing {
        Init,
        Update,
        Final,
    }

    /// The functions of SHA-256, of which one fails always.
    pub fn sha256_with(failing: Failing) -> &'static Sha {
        unsafe extern "C" fn init(_: *mut State) -> c_int {
            0
        }
        unsafe extern "C" fn update(_: *mut State, _: *const c_void, _: usize) -> c_int {
            0
        }
        unsafe extern "C" fn finish(_: *mut u8, _: *mut State) -> c_int {
            0
        }
        let sha = Sha::of(Hash::Sha256).expect("this OpenSSL has the functions");
        let mut copy = Sha { ..*sha };
        match failing {
            Failing::Init => copy.init = init,
            Failing::Update => copy.update = update,
            Failing::Final => copy.finish = finish,
        }
        Box::leak(Box::new(copy))
    }

    type Call = unsafe extern "C" fn(*mut c_void, *const c_void) -> *mut c_void;

    /// A function that OpenSSL has since 3.0, with two arguments and a result that fit into registers.
    fn since_3_0(name: &CStr) -> Option<Call> {
        let found = libcrypto().expect("a library").symbol(name);
        // SAFETY: no preconditions; the function returns a constant.
        let version = unsafe { (api().expect("OpenSSL").OpenSSL_version_num)() };
        assert_eq!(found.is_some(), version >= 0x3000_0000, "OpenSSL has it since 3.0");
        // SAFETY: the address is that of a function with these argument registers.
        found.map(|found| unsafe { std::mem::transmute::<ptr::NonNull<c_void>, Call>(found) })
    }

    #[test]
    fn where_only_fips_is_allowed_there_are_none() {
        if !is_alone("openssl::hmac::sha::tests::where_only_fips_is_allowed_there_are_none", &[]) {
            return;
        }
        assert!(Sha::of(Hash::Sha256).is_some());
        if let Some(enable) = since_3_0(c"EVP_default_properties_enable_fips") {
            // SAFETY: the function takes a library context, null is the default one, and a flag.
            let enabled = unsafe { enable(ptr::null_mut(), ptr::without_provenance(1)) };
            assert_eq!(enabled.addr() as c_int, 1);
            assert!(Sha::of(Hash::Sha256).is_none());
        }
    }

    #[test]
    fn a25_without_the_default_provider_there_are_none() {
        if !is_alone("openssl::hmac::sha::tests::a25_without_the_default_provider_there_are_none", &[]) {
            return;
        }
        // A provider that is loaded by name keeps the default one from being loaded.
        if let Some(load) = since_3_0(c"OSSL_PROVIDER_load") {
            // SAFETY: the function takes a library context, null is the default one, and a C string.
            let provider = unsafe { load(ptr::null_mut(), c"base".as_ptr().cast()) };
            assert!(!provider.is_null());
            assert!(Sha::of(Hash::Sha256).is_none());
        }
    }
}
