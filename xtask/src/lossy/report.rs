// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `docs/loss.md` shows: a table and goals. Its text is in `templates/loss.md`.

use super::results::Results;
use super::rows::{Network, Row};
use super::{Measured, SPACING_MS};
use crate::system::{Run, cmd, machine, shell, template};
use anyhow::{Context, Result};
use itertools::Itertools;
use minijinja::{Value, context};

/// Ours to stock's median at 20 and 30 % loss.
const MOST_OF_STOCKS_TIME: f64 = 0.15;
/// Within which a handshake gets through a black hole.
const MOST_SECONDS_IN_A_HOLE: f64 = 5.0;

/// The table alone.
pub fn quick(measured: &[Measured]) -> Result<String> {
    render(context! { quick => true, rows => rows(measured) })
}

pub fn full(measured: &[Measured]) -> Result<String> {
    let (machine, goals) = (machine::describe()?, goals(measured)?);
    let handshakes = measured.first().map_or(0, |row| row.ours.count());
    let failures = measured.iter().flat_map(failures).collect_vec();
    let (date, rows) = (cmd!(shell(), "date --utc +%F").capture()?, rows(measured));
    let context = context! { handshakes, machine, goals, rows, failures, date, spacing_ms => SPACING_MS };
    render(context! { quick => false, ..context })
}

fn render(context: Value) -> Result<String> {
    template::render(include_str!("../../templates/loss.md"), context)
}

/// One line about a row on one plugin.
pub fn summary(results: &Results) -> String {
    let (median, p90) = (seconds(results.median()), seconds(results.quantile(0.9)));
    let (completed, count) = (results.completed(), results.count());
    format!("{completed} of {count}, median {median} s, p90 {p90} s, {:.1} datagrams", results.datagrams)
}

fn rows(measured: &[Measured]) -> Vec<Value> {
    let cells = |results: &Results| {
        let (median, p90) = (seconds(results.median()), seconds(results.quantile(0.9)));
        let (completed, datagrams) = (results.completed(), format!("{:.1}", results.datagrams));
        context! { completed, median, p90, datagrams }
    };
    let row = |measured: &Measured| {
        let ratio = ratio(measured).map_or("–".to_owned(), |(_, text)| text);
        let Measured { row, stock, ours } = measured;
        context! { title => row.to_string(), stock => cells(stock), ours => cells(ours), ratio }
    };
    measured.iter().map(row).collect()
}

/// Of the medians, and its text; nothing when fewer than half of ours finished. When fewer than half of stock's did,
/// their median is beyond the limit.
fn ratio(Measured { row, stock, ours }: &Measured) -> Option<(f64, String)> {
    let limit = row.limit().as_secs_f64();
    let ratio = ours.median() / stock.median().min(limit);
    let below = if stock.median() > limit { "< " } else { "" };
    ratio.is_finite().then(|| (ratio, format!("{below}{ratio:.3}")))
}

fn seconds(value: f64) -> String {
    match value {
        0.0..1.0 => format!("{value:.3}"),
        _ if value.is_finite() => format!("{value:.2}"),
        _ => "–".into(),
    }
}

fn failures(measured: &Measured) -> Vec<Value> {
    let of = |subject: &str, results: &Results| {
        let title = format!("{}, {subject}", measured.row);
        let line = |(outcome, count): &(String, usize)| context! { title, outcome, count };
        results.failures.iter().map(line).collect_vec()
    };
    [of("stock", &measured.stock), of("ours", &measured.ours)].concat()
}

fn goals(measured: &[Measured]) -> Result<Vec<Value>> {
    measured.iter().map(|one| goals_of(one, measured)).flatten_ok().collect()
}

/// What is wanted of a row.
fn goals_of(one: &Measured, all: &[Measured]) -> Result<Vec<Value>> {
    let Measured { row, stock, ours } = one;
    let mut goals = Vec::new();
    let mut add = |what: &str, goal: String, found: String, reached: bool| {
        goals.push(context! { what => format!("{row}: {what}"), goal, found, reached });
    };
    let (completed, count) = (ours.completed(), ours.count());
    let mut must_complete = || add("completed", count.to_string(), completed.to_string(), completed == count);
    let fewer = |limit: f64| format!("{:.1} of {limit:.1}", ours.datagrams);
    match row.network {
        Network::Loss(percent) => {
            must_complete();
            if percent == 0 {
                let reached = ours.datagrams < stock.datagrams;
                add("datagrams", "fewer than stock".into(), fewer(stock.datagrams), reached);
            }
            if percent >= 20 {
                let (found, text) = ratio(one).unwrap_or((f64::INFINITY, "–".into()));
                let reached = found <= MOST_OF_STOCKS_TIME;
                add("median, ours / stock", format!("≤ {MOST_OF_STOCKS_TIME}"), text, reached);
            }
        }
        Network::Hole(_) => {
            let slowest = ours.quantile(1.0);
            let goal = format!("< {MOST_SECONDS_IN_A_HOLE} s");
            add("slowest", goal, seconds(slowest), slowest < MOST_SECONDS_IN_A_HOLE);
        }
        Network::LongWay => {
            let perfect = Row { network: Network::Loss(0), ..*row };
            let minimum = all.iter().find(|other| other.row == perfect).context("no row without loss")?;
            let minimum = &minimum.ours;
            let limit = minimum.datagrams + minimum.longest_flight as f64;
            add(
                "datagrams",
                "at most the minimum and a flight".into(),
                fewer(limit),
                ours.datagrams <= limit,
            );
        }
        Network::Jitter | Network::Duplication => must_complete(),
    }
    Ok(goals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lossy::relay::Traffic;
    use crate::lossy::rows::Certificate;

    /// Four handshakes, whose times are in milliseconds; 0 is one that did not complete.
    fn results(times: [u32; 4], datagrams: usize) -> Results {
        let line = |(index, ms): (usize, &u32)| match ms {
            0 => format!("{index}\t60000\tlate\n"),
            ms => format!("{index}\t{ms}\tcompleted\n"),
        };
        let output: String = times.iter().enumerate().map(line).collect();
        Results::new(&output, &[Traffic { datagrams, longest_flight: 2 }; 4]).unwrap()
    }

    fn measured(network: Network, stock: Results, ours: Results) -> Measured {
        Measured { row: Row { network, certificate: Certificate::Ecdsa }, stock, ours }
    }

    #[test]
    fn goals_are_reached_or_not() {
        let (fast, slow, partial) = ([10; 4], [100, 100, 100, 6000], [100, 100, 0, 0]);
        let minimum = || measured(Network::Loss(0), results(fast, 7), results(fast, 6));
        let reached = |network, (stock, of_stock), (ours, of_ours)| {
            let row = measured(network, results(stock, of_stock), results(ours, of_ours));
            let goals = goals(&[minimum(), row]).unwrap();
            goals[2..].iter().map(|goal| goal.get_attr("reached").unwrap().is_true()).collect_vec()
        };
        assert_eq!(reached(Network::Loss(0), (fast, 7), (fast, 7)), [true, false]);
        assert_eq!(reached(Network::Loss(5), (fast, 7), (partial, 7)), [false]);
        assert_eq!(reached(Network::Loss(20), (slow, 7), (fast, 7)), [true, true]);
        assert_eq!(reached(Network::Loss(20), (slow, 7), ([16; 4], 7)), [true, false]);
        assert_eq!(reached(Network::Loss(30), ([0; 4], 7), ([0; 4], 7)), [false, false]);
        assert_eq!(reached(Network::Loss(30), ([0; 4], 7), ([9000; 4], 7)), [true, true]);
        assert_eq!(reached(Network::Hole(600), ([0; 4], 7), (fast, 7)), [true]);
        assert_eq!(reached(Network::Hole(600), (fast, 7), (slow, 7)), [false]);
        assert_eq!(reached(Network::LongWay, (fast, 7), (fast, 8)), [true]);
        assert_eq!(reached(Network::LongWay, (fast, 7), (fast, 9)), [false]);
        assert_eq!(reached(Network::Jitter, (fast, 7), (fast, 9)), [true]);
        assert!(goals(&[measured(Network::LongWay, results(fast, 7), results(fast, 7))]).is_err());
    }

    #[test]
    fn the_document_has_goals_rows_and_failures() {
        let rows = [
            measured(Network::Loss(0), results([100; 4], 7), results([50; 4], 6)),
            measured(Network::Loss(30), results([2000, 4000, 4000, 0], 20), results([1000; 4], 9)),
            measured(Network::Hole(600), results([0; 4], 30), results([0; 4], 30)),
        ];
        let document = full(&rows).unwrap();
        for part in [
            "It has 4 clients and a server",
            "| loss 0 %, ECDSA: datagrams | fewer than stock | 6.0 of 7.0 | yes |\n",
            "| loss 30 %, ECDSA: median, ours / stock | ≤ 0.15 | 0.250 | **no** |\n",
            "| hole above 600 bytes, MTU hint 1500, ECDSA: slowest | < 5 s | – | **no** |\n\nThe minimum",
            "## Results\n\n|  | completed |",
            "| loss 30 %, ECDSA: stock | 3 | 4.00 | – | 20.0 |  |\n| ours | 4 | 1.00 | 1.00 | 9.0 | 0.250 |\n",
            "| ours | 0 | – | – | 30.0 | – |\n\n## Handshakes",
            "| loss 30 %, ECDSA, stock | late | 1 |\n",
        ] {
            assert!(document.contains(part), "'{part}' is not in\n{document}");
        }
        assert!(quick(&rows).unwrap().starts_with("|  | completed |"));
    }
}
