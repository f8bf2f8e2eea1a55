// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program that makes the calls: its handles, its callbacks, and the input that decides.

use crate::fuzz::library::error::Status;
use crate::fuzz::library::ffi::*;
use crate::fuzz::mutation::{self, mutate};
use crate::fuzz::pair::{Contexts, Credentials};
use crate::fuzz::{ends, repeatable};
use arbitrary::Unstructured;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

/// Datagrams that were sent, which calls may pass on.
const KEPT: usize = 16;
const DEEPEST: u32 = 3;

pub struct World<'a> {
    pub contexts: &'a [Contexts; 2],
    input: RefCell<Unstructured<'a>>,
    pub connections: [Cell<*mut qdtls_connection>; 3],
    pub listeners: [Cell<*mut qdtls_listener>; 2],
    pub cookies: [Cell<*mut qdtls_cookie>; 2],
    datagrams: RefCell<VecDeque<Vec<u8>>>,
    programs: RefCell<Vec<Rc<Program<'a>>>>,
    /// What `init_tls` was given to release, and what it has released.
    pub owners: Cell<u32>,
    pub released_owners: Cell<u32>,
    depth: Cell<u32>,
}

/// The user of one handle's callbacks.
pub struct Program<'a> {
    world: *const World<'a>,
    released: Cell<u32>,
}

/// Contexts of each kind of credentials; what is made once was made before.
pub fn with_contexts(use_them: impl FnOnce(&[Contexts; 2])) {
    thread_local! {
        static CONTEXTS: OnceCell<[Contexts; 2]> = const { OnceCell::new() };
    }
    let make = || {
        repeatable::restart();
        drop(ends::pair(Credentials::Psk));
        [Contexts::new(Credentials::Psk), Contexts::new(Credentials::Certificate)]
    };
    CONTEXTS.with(|contexts| use_them(contexts.get_or_init(make)));
}

impl<'a> World<'a> {
    pub fn new(contexts: &'a [Contexts; 2], input: &'a [u8]) -> Self {
        let null = || Cell::new(ptr::null_mut());
        Self {
            contexts,
            input: RefCell::new(Unstructured::new(input)),
            connections: [null(), null(), null()],
            listeners: [Cell::new(ptr::null_mut()), Cell::new(ptr::null_mut())],
            cookies: [Cell::new(ptr::null_mut()), Cell::new(ptr::null_mut())],
            datagrams: RefCell::default(),
            programs: RefCell::default(),
            owners: Cell::new(0),
            released_owners: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    pub fn is_at_end(&self) -> bool {
        self.input.borrow().is_empty()
    }

    pub fn byte(&self) -> u8 {
        mutation::byte(&mut self.input.borrow_mut())
    }

    pub fn below(&self, limit: usize) -> usize {
        mutation::below(&mut self.input.borrow_mut(), limit)
    }

    pub fn bytes(&self) -> Vec<u8> {
        mutation::bytes(&mut self.input.borrow_mut()).to_vec()
    }

    /// An enumerator, or no such number.
    pub fn number(&self) -> i32 {
        i32::from(self.byte() as i8)
    }

    /// One of the datagrams that were sent, as it was or changed; or any bytes.
    pub fn datagram(&self) -> Vec<u8> {
        let choice = self.byte();
        let sent = self.datagrams.borrow();
        let Some(mut datagram) = sent.get(usize::from(choice >> 2) % KEPT).cloned() else {
            return self.bytes();
        };
        if choice & 3 == 0 {
            mutate(&mut self.input.borrow_mut(), &mut datagram);
        }
        datagram
    }

    fn keep(&self, datagram: &[u8]) {
        let mut datagrams = self.datagrams.borrow_mut();
        datagrams.truncate(KEPT - 1);
        datagrams.push_front(datagram.to_vec());
    }

    /// Makes one call.
    pub fn act(&self) {
        match self.byte() % 4 {
            0 => self.call_on_cookies(),
            1 => self.set_up_connection(),
            _ => self.use_connection(),
        }
    }

    /// Inside a callback: makes a call, or none.
    fn act_inside(&self) {
        if self.depth.get() < DEEPEST && self.byte() & 7 == 7 {
            self.depth.set(self.depth.get() + 1);
            self.act();
            self.depth.set(self.depth.get() - 1);
        }
    }

    /// The callbacks of a new program, rarely without the one that is required.
    pub fn callbacks(&self) -> qdtls_callbacks {
        let program = Rc::new(Program { world: ptr::from_ref(self), released: Cell::new(0) });
        let user = Rc::as_ptr(&program).cast_mut().cast();
        self.programs.borrow_mut().push(program);
        let choice = self.byte();
        qdtls_callbacks {
            size: size_of::<qdtls_callbacks>(),
            user,
            send: (choice & 15 != 15).then_some(send),
            psk: Some(psk),
            now: (choice & 1 == 0).then_some(now),
            release: Some(release),
            send_to: None,
            server_name: None,
        }
    }

    /// The program of callbacks that no handle has taken.
    pub fn forget_program(&self, user: *mut c_void) {
        self.programs
            .borrow_mut()
            .retain(|program| Rc::as_ptr(program).cast::<c_void>() != user.cast_const());
    }

    /// Frees everything, and checks that it was released.
    pub fn end(&self) {
        self.depth.set(DEEPEST);
        for connection in &self.connections {
            // SAFETY: null or live, and not used again.
            unsafe { qdtls_connection_free(connection.take_handle()) };
        }
        for listener in &self.listeners {
            // SAFETY: as above.
            unsafe { qdtls_listener_free(listener.take_handle()) };
        }
        for cookie in &self.cookies {
            // SAFETY: as above.
            unsafe { qdtls_cookie_free(cookie.take_handle()) };
        }
        for program in self.programs.borrow().iter() {
            assert_eq!(program.released.get(), 1, "each program is released once");
        }
        assert_eq!(self.released_owners.get(), self.owners.get(), "each owner is released once");
    }
}

/// A place for a handle.
pub trait Place<T> {
    /// Takes the handle out, so that nothing uses it again.
    fn take_handle(&self) -> *mut T;
}

impl<T> Place<T> for Cell<*mut T> {
    fn take_handle(&self) -> *mut T {
        self.replace(ptr::null_mut())
    }
}

/// A call's outputs, which hold `UNSET` unless it succeeds.
pub fn check(status: Status, outputs_are_unset: bool) -> bool {
    assert_ne!(status, Status::Internal, "a panic");
    assert!(status == Status::Ok || outputs_are_unset, "{status:?} with an output");
    status == Status::Ok
}

/// # Safety
/// `user` is the [`Program`] of a live world.
unsafe fn world_of<'a>(user: *mut c_void) -> &'a World<'a> {
    // SAFETY: the program lives as long as its world, which outlives every call.
    unsafe { &*(*user.cast::<Program<'a>>()).world }
}

unsafe extern "C" fn send(user: *mut c_void, datagram: *const u8, length: usize) -> i32 {
    // SAFETY: the user is that of `callbacks`; the datagram is the library's.
    let (world, datagram) = unsafe { (world_of(user), std::slice::from_raw_parts(datagram, length)) };
    world.keep(datagram);
    world.act_inside();
    match world.byte() {
        choice @ 250.. => i32::from(choice) - 250,
        _ => 0,
    }
}

unsafe extern "C" fn psk(user: *mut c_void, _: *const qdtls_psk_request, reply: *mut qdtls_psk_reply) {
    // SAFETY: as in `send`.
    let world = unsafe { world_of(user) };
    world.act_inside();
    let (mut identity, mut key) = (b"client".to_vec(), b"a pre-shared key".to_vec());
    if world.byte() > 240 {
        (identity, key) = (world.bytes(), world.bytes());
    }
    // SAFETY: the reply is that of this callback; the bytes are readable.
    let status =
        unsafe { qdtls_psk_reply_set(reply, identity.as_ptr(), identity.len(), key.as_ptr(), key.len()) };
    assert_ne!(status, Status::Internal);
}

unsafe extern "C" fn now(user: *mut c_void) -> u64 {
    // SAFETY: as in `send`.
    let world = unsafe { world_of(user) };
    world.act_inside();
    1_800_000_000_000 + u64::from(world.byte() / 200) * 3_600_000
}

unsafe extern "C" fn release(user: *mut c_void) {
    // SAFETY: as in `send`.
    let (world, program) = unsafe { (world_of(user), &*user.cast::<Program<'_>>()) };
    program.released.set(program.released.get() + 1);
    world.act_inside();
}
