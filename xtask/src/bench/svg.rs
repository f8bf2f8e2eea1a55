// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bar charts, in colours that can be read on a light and on a dark page.

use super::samples::Subject;
use super::statistics::Spread;
use std::fmt::Write;

/// One bar for each subject.
pub struct Group {
    pub label: String,
    pub bars: Vec<(Subject, Spread)>,
}

const WIDTH: f64 = 760.0;
/// Left of the bars stand the labels, right of them the values.
const LEFT: f64 = 170.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 14.0;
const GAP: f64 = 12.0;
const TOP: f64 = 56.0;
const TEXT: &str = "#808080";

fn colour(subject: Subject) -> &'static str {
    match subject {
        Subject::Stock => "#9a9a9a",
        Subject::Ours => "#d9762b",
        Subject::Raw => "#4a90c2",
    }
}

/// `title` names the unit, too. A line across the end of a bar shows the quartiles.
pub fn bar_chart(title: &str, groups: &[Group]) -> String {
    let bars = groups.iter().map(|group| group.bars.len()).sum::<usize>() as f64;
    let height = TOP + bars * BAR + groups.len() as f64 * GAP;
    let longest = groups.iter().flat_map(|group| &group.bars).map(|(_, spread)| spread.high);
    let scale = (WIDTH - LEFT - RIGHT) / longest.fold(f64::MIN_POSITIVE, f64::max);

    let mut svg = format!(
        "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"{TEXT}\" role=\"img\">\n\
         <title>{title}</title>\n<text x=\"0\" y=\"16\" font-size=\"14\">{title}</text>\n"
    );
    legend(&mut svg);
    let mut y = TOP;
    for group in groups {
        let middle = y + group.bars.len() as f64 * BAR / 2.0 + 4.0;
        let x = LEFT - 8.0;
        line(
            &mut svg,
            format_args!("<text x=\"{x}\" y=\"{middle}\" text-anchor=\"end\">{}</text>", group.label),
        );
        for (subject, spread) in &group.bars {
            bar(&mut svg, *subject, spread, y, scale);
            y += BAR;
        }
        y += GAP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String) {
    for (index, subject) in Subject::ALL.into_iter().enumerate() {
        let x = LEFT + index as f64 * 90.0;
        let (fill, name, after) = (colour(subject), subject.name(), x + 16.0);
        line(svg, format_args!("<rect x=\"{x}\" y=\"28\" width=\"11\" height=\"11\" fill=\"{fill}\"/>"));
        line(svg, format_args!("<text x=\"{after}\" y=\"38\">{name}</text>"));
    }
}

fn bar(svg: &mut String, subject: Subject, spread: &Spread, y: f64, scale: f64) {
    let (fill, width, height) = (colour(subject), spread.median * scale, BAR - 2.0);
    line(
        svg,
        format_args!(
            "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{fill}\"/>"
        ),
    );
    let (from, to, middle) = (LEFT + spread.low * scale, LEFT + spread.high * scale, y + height / 2.0);
    line(
        svg,
        format_args!(
            "<line x1=\"{from:.1}\" y1=\"{middle}\" x2=\"{to:.1}\" y2=\"{middle}\" stroke=\"{TEXT}\" stroke-width=\"2\"/>"
        ),
    );
    let (end, baseline) = (LEFT + spread.high.max(spread.median) * scale + 6.0, y + height - 2.0);
    let value = super::markdown::number(spread.median);
    line(svg, format_args!("<text x=\"{end:.1}\" y=\"{baseline}\" font-size=\"11\">{value}</text>"));
}

fn line(svg: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(svg, "{text}").expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_width() {
        let spread = |value| Spread { low: value, median: value, high: value };
        let bars = vec![(Subject::Stock, spread(200.0)), (Subject::Ours, spread(100.0))];
        let chart = bar_chart("t", &[Group { label: "g".into(), bars }]);
        assert!(chart.contains("width=\"500.0\""), "{chart}");
        assert!(chart.contains("width=\"250.0\""), "{chart}");
        assert_eq!(chart.matches("<rect").count(), 2 + Subject::ALL.len());
    }
}
