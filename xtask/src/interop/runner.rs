// SPDX-License-Identifier: MIT OR Apache-2.0
//! All cells of peer, role and case, on both plugins, some at a time.

use crate::build::Flavour;
use crate::interop::cases::{Case, Expected, Role};
use crate::interop::peers::Peer;
use crate::interop::relay::{Direction, Loss};
use crate::interop::trial::{Ending, Trial, Verdict};
use anyhow::{Context, Result};
use derive_more::Display;
use itertools::Itertools;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);
/// What a handshake may take that lost one datagram.
const LIMIT_WITH_ONE_LOST: Duration = Duration::from_secs(3);
const LIMIT_AT_TEN_PERCENT: Duration = Duration::from_secs(30);
/// So many of thirty handshakes may take longer because the losses hit them twice in the same place.
const MOST_BY_CHANCE: usize = 2;
/// No handshake has more datagrams in one direction.
const MOST_DATAGRAMS: u32 = 60;
/// Most of the time the programs wait.
const AT_ONCE: usize = 8;

/// What came of a cell on one plugin.
#[derive(Clone, Debug, Display, PartialEq)]
pub enum Outcome {
    #[display("{_0}")]
    Right(String),
    #[display("**partly**: {_0}")]
    Partly(String),
    #[display("**fails**: {_0}")]
    Wrong(String),
    /// The peer has no command for it.
    #[display("–")]
    Lack(&'static str),
}

pub struct Cell {
    pub peer: &'static Peer,
    pub role: Role,
    pub case: Case,
    pub ours: Outcome,
    pub stock: Outcome,
}

pub struct Endpoints {
    pub ours: PathBuf,
    pub stock: PathBuf,
}

/// Runs them all and returns them in their order.
pub fn run(cells: Vec<(&'static Peer, Role, Case)>, endpoints: &Endpoints) -> Result<Vec<Cell>> {
    // The long ones first, so that none is left alone at the end.
    let order: Vec<_> = (0..cells.len()).sorted_by_key(|index| !cells[*index].2.has_loss()).collect();
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let sender = sender.clone();
            let (next, order, cells) = (&next, &order, &cells);
            scope.spawn(move || {
                while let Some(index) = take(next, order).copied() {
                    let (peer, role, case) = &cells[index];
                    let cell = cell(peer, *role, case, endpoints);
                    if let Ok(cell) = &cell {
                        eprintln!(
                            "{}, ours as {}, {}: {}; stock: {}",
                            peer.name, role, case.name, cell.ours, cell.stock
                        );
                    }
                    // The receiver outlives the threads.
                    let _ = sender.send((index, cell));
                }
            });
        }
    });
    drop(sender);
    let ordered = receiver.into_iter().sorted_by_key(|(index, _)| *index);
    ordered.map(|(_, cell)| cell).collect()
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<&'a T> {
    items.get(next.fetch_add(1, Ordering::Relaxed))
}

fn cell(peer: &'static Peer, role: Role, case: &Case, endpoints: &Endpoints) -> Result<Cell> {
    let on = |flavour, endpoint: &Path| {
        let trial = Trial { peer, role, case, flavour, endpoint, loss: Loss::Nothing, limit: LIMIT };
        outcome(&trial).with_context(|| format!("{}, ours as {role}, {}", peer.name, case.name))
    };
    let (ours, stock) = (on(Flavour::OURS, &endpoints.ours)?, on(Flavour::STOCK, &endpoints.stock)?);
    Ok(Cell { peer, role, case: case.clone(), ours, stock })
}

fn outcome(trial: &Trial) -> Result<Outcome> {
    match trial.case.expected {
        Expected::AnyOneLost => each_lost_in_turn(trial),
        Expected::AtTenPercentLoss(count) => at_ten_percent_loss(trial, count),
        _ => Ok(match trial.run()? {
            Err(lack) => Outcome::Lack(lack),
            Ok(ending) => match ending.judge(trial) {
                Verdict::Right if trial.case.is_refusal() => Outcome::Right("refused".into()),
                Verdict::Right => Outcome::Right("right".into()),
                Verdict::Partly(how) => Outcome::Partly(how),
                Verdict::Wrong(why) => Outcome::Wrong(why),
            },
        }),
    }
}

fn each_lost_in_turn(trial: &Trial) -> Result<Outcome> {
    let (mut times, mut failures) = (Vec::new(), Vec::new());
    for (direction, name) in [(Direction::ToServer, "to the server"), (Direction::ToClient, "to the client")]
    {
        for number in 1..MOST_DATAGRAMS {
            let loss = Loss::One(direction, number);
            let trial = &Trial { loss, ..*trial };
            let ending = match trial.run()? {
                Err(lack) => return Ok(Outcome::Lack(lack)),
                // Once more, since the machine may have been busy.
                Ok(ending) if finished(&ending, trial) > Some(LIMIT_WITH_ONE_LOST) => {
                    trial.run()?.unwrap_or(ending)
                }
                Ok(ending) => ending,
            };
            if ending.lost == 0 {
                // The handshake has no more datagrams, if it is one.
                if let Verdict::Wrong(why) = ending.judge(trial) {
                    return Ok(Outcome::Wrong(format!("without a loss: {why}")));
                }
                break;
            }
            match finished(&ending, trial) {
                Some(time) => times.push((time, format!("{number} {name}"))),
                None => failures.push(format!("{number} {name}")),
            }
        }
    }
    Ok(sum_of_losses(times, failures))
}

fn sum_of_losses(times: Vec<(Duration, String)>, failures: Vec<String>) -> Outcome {
    let (all, in_time) =
        (times.len() + failures.len(), times.iter().filter(|(time, _)| *time <= LIMIT_WITH_ONE_LOST));
    let mut text = format!("{} of {all} in time", in_time.count());
    let is_right = text == format!("{all} of {all} in time");
    if let Some((slowest, which)) = times.into_iter().max() {
        text += &format!(", slowest {:.2} s ({which})", slowest.as_secs_f32());
    }
    if !failures.is_empty() {
        text += &format!("; never: {}", failures.iter().join(", "));
    }
    if is_right { Outcome::Right(text) } else { Outcome::Wrong(text) }
}

fn at_ten_percent_loss(trial: &Trial, count: u32) -> Result<Outcome> {
    let next = AtomicUsize::new(0);
    let seeds: Vec<u64> = (1..=u64::from(count)).collect();
    let times = Mutex::new(Vec::new());
    let lack = Mutex::new(None);
    thread::scope(|scope| {
        let run = || -> Result<()> {
            while let Some(seed) = take(&next, &seeds) {
                let trial = Trial { loss: Loss::Percent(10, *seed), limit: LIMIT_AT_TEN_PERCENT, ..*trial };
                match trial.run()? {
                    Err(why) => *lack.lock().expect("no thread panics") = Some(why),
                    Ok(ending) => {
                        times.lock().expect("no thread panics").extend(finished(&ending, &trial));
                    }
                }
            }
            Ok(())
        };
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(run)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;
    if let Some(lack) = lack.into_inner().expect("no thread panics") {
        return Ok(Outcome::Lack(lack));
    }
    let times: Vec<_> = times.into_inner().expect("no thread panics").into_iter().sorted().collect();
    let median = times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f32();
    let slowest = times.last().copied().unwrap_or_default().as_secs_f32();
    let text = format!("{} of {count}, median {median:.2} s, slowest {slowest:.2} s", times.len());
    Ok(match count as usize - times.len() {
        0 => Outcome::Right(text),
        1..=MOST_BY_CHANCE => Outcome::Partly(text),
        _ => Outcome::Wrong(text),
    })
}

/// How long it took, if it came to its end.
fn finished(ending: &Ending, trial: &Trial) -> Option<Duration> {
    (ending.judge(trial) == Verdict::Right).then_some(ending.time).flatten()
}

impl Cell {
    /// Stock succeeds and ours does not, or less.
    pub fn is_worse(&self) -> bool {
        match (&self.ours, &self.stock) {
            (Outcome::Wrong(_), Outcome::Right(_)) => true,
            // Where losses decide, a little less is chance.
            (Outcome::Wrong(_), Outcome::Partly(_)) | (Outcome::Partly(_), Outcome::Right(_)) => {
                !self.case.has_loss()
            }
            _ => false,
        }
    }
}
