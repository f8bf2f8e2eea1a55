// SPDX-License-Identifier: MIT OR Apache-2.0
//! The safe Rust API, on contexts of the `openssl` crate (feature `rust`). `docs/rust.md` is its guide.
//!
//! | step | server | client |
//! |---|---|---|
//! | once | [`prepare`] a context, make a [`Listener`] | [`prepare`] a context |
//! | begin | [`Listener::verify`] each datagram of an unknown peer, until it returns true | |
//! | set up | [`Connection::new`], [`Connection::require_cookie`], [`Connection::init_tls`] | [`Connection::new`], [`Connection::init_tls`] |
//! | handshake | [`Connection::start`] with that datagram | [`Connection::start`] with an empty one |
//! | | [`Connection::proceed`] with each datagram; [`Connection::handle_timeout`] after [`Connection::time_left`] | the same |
//! | verdict | [`Connection::judge_peer`] | the same |
//! | data | [`Connection::write`], [`Connection::read`] | the same |
//! | end | [`Connection::shutdown`] | the same |
//!
//! The API does no I/O but through [`Host::send`], needs no runtime, and never waits.
//!
//! Threads: a [`Connection`] is `Send` if its host is, and not `Sync`: one thread at a time uses it, which may be another
//! one for each call. A [`Listener`] and a built context are `Send` and `Sync`, for all connections of a program.

// Allowed in `movable`, which says why it may be `Send`.
#![deny(unsafe_code)]

mod connection;
mod host;
mod listener;
mod movable;
mod program;

pub use crate::connection::{Need, State};
pub use crate::error::{Error, Result, Status};
pub use crate::host::{Psk, PskRequest};
pub use crate::openssl::rust_openssl::prepare;
pub use crate::role::Role;
pub use connection::Connection;
pub use host::Host;
pub use listener::Listener;
