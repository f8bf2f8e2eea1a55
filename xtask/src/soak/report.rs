// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `docs/reliability.md` shows. Its text is in `templates/reliability.md`.

use super::trial::{Trial, mean};
use super::{FLOOD_PER_SECOND, FLOOD_SECONDS, PEERS};
use crate::system::{Run, cmd, machine, shell, template};
use anyhow::{Context, Result};
use minijinja::{Value, context};

/// The peers' counts, in the order of the table.
const COUNTS: [(&str, &str); 11] = [
    ("handshakes", "honest handshakes complete"),
    ("failed", "honest handshakes failed"),
    ("slowest_ms", "slowest of them, ms"),
    ("echoes", "messages sent and echoed"),
    ("lost", "messages without an echo in five tries"),
    ("closed", "connections closed"),
    ("vanished", "peers that vanished"),
    ("restarted", "peers that began again on their port"),
    ("renegotiated", "of these after they had asked for renegotiation"),
    ("replayed", "old datagrams sent"),
    ("junk", "forged and senseless datagrams sent"),
];

pub fn summary(ours: &Trial, stock: &Trial) -> Result<String> {
    let [heap, resident] = ours.growth().map(|growth| format!("{:+.1} %", 100.0 * growth));
    let [before, flood] = ours.processor();
    let [stock_before, stock_flood] = stock.processor();
    Ok(format!(
        "{} handshakes, {} failed; heap {heap}, resident {resident}\n\
         processor, ms per second: {before:.0}, in the flood {flood:.0}; stock: {stock_before:.0}, {stock_flood:.0}",
        ours.count("handshakes")?,
        ours.count("failed")?
    ))
}

pub fn full(ours: &Trial, stock: &Trial, minutes: u32) -> Result<String> {
    let counts = COUNTS.iter().map(|(name, title)| Ok(context! { title, number => ours.count(name)? }));
    let last = ours.flood.last().context("no sample")?;
    let by_server = [
        ("handshakes that the server has completed", last.completed),
        ("handshakes that it gave up, since the peer began again", last.failed),
    ];
    let by_server = by_server.map(|(title, number)| Ok(context! { title, number }));
    let counts = counts.chain(by_server).collect::<Result<Vec<Value>>>()?;
    let date = cmd!(shell(), "date --utc +%F").capture()?;
    let text = context! {
        minutes, counts, date,
        machine => machine::describe()?,
        peers => PEERS,
        flood_per_second => FLOOD_PER_SECOND,
        flood_seconds => FLOOD_SECONDS,
        memory => memory(ours),
        processor => [processor("stock", stock)?, processor("ours", ours)?],
    };
    template::render(include_str!("../../templates/reliability.md"), text)
}

fn memory(ours: &Trial) -> Vec<Value> {
    let fifth = ours.samples.len() / 5;
    let parts = [("second fifth", fifth..2 * fifth), ("last fifth", 4 * fifth..ours.samples.len())];
    let parts = parts.into_iter().map(|(title, range)| {
        let samples = &ours.samples[range];
        let mib = |bytes: f64| format!("{:.1}", bytes / f64::from(1 << 20));
        let (heap, resident) = (mean(samples, |sample| sample.heap), mean(samples, |sample| sample.resident));
        let peers = format!("{:.0}", mean(samples, |sample| sample.peers));
        context! { title, heap => mib(heap), resident => mib(resident), peers }
    });
    parts.collect()
}

fn processor(subject: &str, trial: &Trial) -> Result<Value> {
    let [before, flood] = trial.processor();
    let datagrams = trial.count("flooded")? as f64 / f64::from(FLOOD_SECONDS);
    let each = format!("{:.1}", 1000.0 * (flood - before) / datagrams);
    let [before, flood] = [before, flood].map(|milliseconds| format!("{milliseconds:.0}"));
    Ok(context! { subject, before, flood, each })
}
