// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables of the report.

use super::statistics::Spread;

/// Three significant digits at least.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Median, and quartiles in brackets.
pub fn with_spread(spread: Spread) -> String {
    format!("{:.2} ({:.2}–{:.2})", spread.median, spread.low, spread.high)
}

pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let header: Vec<_> = header.iter().map(|&cell| cell.to_owned()).collect();
    let rule = format!("|{}\n", "---|".repeat(header.len()));
    rows.iter().fold(line(&header) + &rule, |table, row| table + &line(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_have_decimals() {
        assert_eq!([0.5, 5.25, 12.34, 1234.5].map(number), ["0.50", "5.25", "12.3", "1234"]);
    }

    #[test]
    fn tables_have_a_rule_below_their_header() {
        assert_eq!(table(&["a", "b"], &[vec!["1".into(), "2".into()]]), "| a | b |\n|---|---|\n| 1 | 2 |\n");
    }
}
