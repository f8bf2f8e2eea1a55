// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handshake of a connection: start, continue, retransmit, judge the peer, abort.

#![forbid(unsafe_code)]

use super::Connection;
use super::phase::{Carry, Need, Phase, Started};
use crate::association::{Association, Progress, VerifyError};
use crate::cookie::{CookieCheck, ValidCookie};
use crate::error::{Error, Result, Status};
use crate::log::{self, Kind};
use crate::memory::{self, Rc};
use crate::wire::hello::ClientHello;
use crate::wire::record;
use std::time::Duration;

/// The number of bytes kept while the verdict is awaited (A10), the size of the largest datagram. More is dropped, as
/// the network may drop datagrams.
const MAX_CARRY: usize = 1 << 16;

impl Connection {
    /// Starts the handshake. A server passes the client's first datagram, which must carry a valid cookie if a cookie
    /// key is set. `OutOfMemory` has no effect: the same datagram can start the handshake later. Protected records are
    /// ignored: they are left over from a connection, such as the answer to its close_notify (F7).
    pub fn start(&self, datagram: &[u8]) -> Result<Need> {
        let key = self.cookie_key();
        self.start_after(key.as_ref().map(CookieCheck::Due), datagram)
    }

    /// As [`Connection::start`], with a ClientHello whose cookie a listener has found valid.
    pub fn start_verified(&self, datagram: &[u8], cookie: ValidCookie) -> Result<Need> {
        self.start_after(Some(CookieCheck::Done(cookie)), datagram)
    }

    fn start_after(&self, check: Option<CookieCheck<'_>>, datagram: &[u8]) -> Result<Need> {
        if matches!(&*self.phase.borrow(), Phase::Ready(_)) && record::is_protected(datagram) {
            return Ok(Need::Datagram);
        }
        let association = self.begin(datagram, check.is_some())?;
        let progress = match check {
            None => association.handshake(datagram),
            Some(check) => association.start_with_cookie(check, datagram),
        };
        match progress.as_ref().map_err(Error::status) {
            Err(Status::CookieRejected) => self.reset(),
            Err(Status::OutOfMemory) => drop(self.phase.replace(Phase::Ready(Rc::clone(&association)))),
            _ => {}
        }
        self.advance(&association, datagram, progress)
    }

    /// Enters the handshake phase, before any code of the program can run.
    fn begin(&self, datagram: &[u8], has_cookie: bool) -> Result<Rc<Association>> {
        self.require_not_started("start handshake")?;
        let mut phase = self.phase.borrow_mut();
        let Phase::Ready(association) = &*phase else {
            let reason = "TLS is not initialised";
            return Err(Error::because(Status::InvalidState, "start handshake", reason));
        };
        if association.requires_cookie() != has_cookie {
            let reason = "cookie parameters were added or removed since init TLS";
            return Err(Error::because(Status::InvalidState, "start handshake", reason));
        }
        let association = Rc::clone(association);
        let client_random = ClientHello::parse(datagram).map(|hello| *hello.random);
        association.statistics().note_begin();
        *phase = Phase::Handshaking(Started { association: Rc::clone(&association), client_random });
        Ok(association)
    }

    /// Continues the handshake.
    pub fn proceed(&self, datagram: &[u8]) -> Result<Need> {
        let (association, need) = match &*self.phase.borrow() {
            Phase::Handshaking(started) => (Rc::clone(&started.association), Need::Datagram),
            Phase::AwaitingVerdict(started, _) => (Rc::clone(&started.association), Need::Verdict),
            _ => return Err(Error::new(Status::InvalidState, "continue handshake")),
        };
        if self.answers_restart(&association, datagram)? {
            return Ok(need);
        }
        if self.keep_for_first_read(datagram) {
            return Ok(need);
        }
        let progress = association.handshake(datagram);
        self.advance(&association, datagram, progress)
    }

    fn advance(
        &self,
        association: &Rc<Association>,
        datagram: &[u8],
        progress: Result<Progress>,
    ) -> Result<Need> {
        match progress {
            Ok(Progress::Continues) => Ok(Need::Datagram),
            Ok(Progress::Finished { unread }) => {
                association.statistics().note_end(true);
                let rest = datagram.get(datagram.len().saturating_sub(unread)..).unwrap_or_default();
                // Without memory they are lost, as the network may lose them.
                self.finish(memory::copy(record::whole_records(rest)).unwrap_or_default());
                self.verdict_on(association)
            }
            Err(error) => {
                self.fail_after(association, &error);
                Err(error)
            }
        }
    }

    /// Judges the peer where the caller leaves that to what OpenSSL has found.
    fn verdict_on(&self, association: &Association) -> Result<Need> {
        if !self.settings.accepts_verified.get() {
            return Ok(Need::Verdict);
        }
        let is_good = association.verify_errors(|errors| errors.next().is_none());
        self.judge_peer(is_good)?;
        if is_good { Ok(Need::Nothing) } else { Err(Error::new(Status::PeerRefused, "handshake")) }
    }

    fn finish(&self, carry: Carry) {
        let mut phase = self.phase.borrow_mut();
        *phase = match std::mem::replace(&mut *phase, Phase::Idle) {
            Phase::Handshaking(started) => Phase::AwaitingVerdict(started, carry),
            other => other,
        };
    }

    /// While the verdict is awaited, keeps records for the first read and does not call OpenSSL (A10). Returns
    /// whether the verdict is awaited.
    fn keep_for_first_read(&self, datagram: &[u8]) -> bool {
        let mut phase = self.phase.borrow_mut();
        let Some(carry) = phase.carry_mut() else {
            return false;
        };
        let records = record::whole_records(datagram);
        if carry.len().saturating_add(records.len()) <= MAX_CARRY {
            let _ = memory::append(carry, records);
        }
        true
    }

    /// Ends a handshake that cannot continue after `error`. The peer's certificates can still be queried.
    fn fail_after(&self, association: &Rc<Association>, error: &Error) {
        if error.status().leaves_association() {
            return;
        }
        if association.is_current() {
            association.statistics().note_end(false);
            self.phase.replace(Phase::Failed(Rc::clone(association)));
        }
        log::report_failure(error, Some(association.peer()));
    }

    /// Accepts or refuses the peer after [`Need::Verdict`]. A refused peer can be accepted later.
    pub fn judge_peer(&self, accepted: bool) -> Result<()> {
        let association = self.enter_verdict(accepted)?;
        if !accepted {
            report_refusal(&association);
        }
        Ok(())
    }

    fn enter_verdict(&self, accepted: bool) -> Result<Rc<Association>> {
        let mut phase = self.phase.borrow_mut();
        match std::mem::replace(&mut *phase, Phase::Idle) {
            Phase::AwaitingVerdict(started, carry) | Phase::Rejected(started, carry) => {
                let association = Rc::clone(&started.association);
                *phase = match accepted {
                    true => Phase::Connected(started, carry),
                    false => Phase::Rejected(started, carry),
                };
                Ok(association)
            }
            other => {
                *phase = other;
                Err(Error::new(Status::InvalidState, "judge peer"))
            }
        }
    }

    /// Ends a handshake. Sends a close_notify if OpenSSL has finished it and the peer was not accepted.
    pub fn abort(&self) -> Result<()> {
        let close_notify = match &*self.phase.borrow() {
            Phase::Handshaking(_) => false,
            Phase::AwaitingVerdict(..) | Phase::Rejected(..) => true,
            _ => return Err(Error::new(Status::InvalidState, "abort handshake")),
        };
        self.leave_for(Phase::Idle, close_notify);
        Ok(())
    }

    /// The time until [`Connection::handle_timeout`] is due; `None` if the timer is not running.
    pub fn time_left(&self) -> Option<Duration> {
        match &*self.phase.borrow() {
            Phase::Handshaking(started) => started.association.time_left(),
            _ => None,
        }
    }

    /// Retransmits the last flight if its timer has expired. Returns whether it retransmitted.
    pub fn handle_timeout(&self) -> Result<bool> {
        let association = match &*self.phase.borrow() {
            Phase::Handshaking(started) | Phase::AwaitingVerdict(started, _) => {
                Rc::clone(&started.association)
            }
            _ => return Err(Error::new(Status::InvalidState, "handle timeout")),
        };
        association.handle_timeout().inspect_err(|error| self.fail_after(&association, error))
    }
}

/// Reports that the program has refused the peer, with the first error that OpenSSL has found in its chain.
#[cold]
fn report_refusal(association: &Association) {
    let peer = Some(association.peer());
    match association.verify_errors(|errors| errors.next()) {
        None => {
            log::report(Kind::PeerRefused, peer, "verdict", format_args!("the program has refused the peer"))
        }
        Some(VerifyError { code, depth }) => log::report(
            Kind::PeerRefused,
            peer,
            "verdict",
            format_args!("the peer's certificate was refused: X509_V_ERR {code} at depth {depth}"),
        ),
    }
}
