// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bar charts, in colours that can be read on a light and on a dark page.

use super::samples::{Spread, Subject, number};
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use strum::VariantArray;

/// A label, and one bar for each subject.
pub type Group = (String, [Spread; 3]);

const WIDTH: u32 = 760;
const BAR: u32 = 14;
const GAP: u32 = 12;
const GREY: RGBColor = RGBColor(128, 128, 128);
/// Of each subject.
const COLOURS: [RGBColor; 3] = [RGBColor(154, 154, 154), RGBColor(217, 118, 43), RGBColor(74, 144, 194)];

/// Draws a chart. `title` includes the unit. A line across the end of a bar shows the quartiles.
pub fn bar_chart(title: &str, groups: &[Group]) -> Result<String> {
    let count = groups.len();
    let height = 80 + count as u32 * (3 * BAR + GAP);
    let longest = groups.iter().flat_map(|(_, bars)| bars).map(|spread| spread.high).fold(0.0, f64::max);
    let text = |size: u32| ("sans-serif", size).into_font().color(&GREY);

    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    let mut builder = ChartBuilder::on(&root);
    builder.margin_top(48).margin_right(80).x_label_area_size(24).y_label_area_size(170);
    let mut chart = builder.build_cartesian_2d(0.0..longest, count as f64..0.0)?;
    let mut axes = chart.configure_mesh();
    axes.disable_mesh().axis_style(GREY).x_labels(8).y_labels(0);
    axes.x_label_style(text(14)).x_label_formatter(&f64::to_string).draw()?;
    let left_of_axis = text(15).pos(Pos::new(HPos::Right, VPos::Center));
    chart.draw_series(groups.iter().enumerate().map(|(index, (label, _))| {
        let at = EmptyElement::at((0.0, index as f64 + 0.5));
        at + Text::new(label.clone(), (-8, 0), left_of_axis.clone())
    }))?;

    root.draw(&Text::new(title, (0, 6), text(18)))?;
    for (index, (subject, colour)) in Subject::VARIANTS.iter().zip(COLOURS).enumerate() {
        let (fill, x) = (colour.filled(), 170 + 90 * index as i32);
        root.draw(&Rectangle::new([(x, 30), (x + 11, 41)], fill))?;
        root.draw(&Text::new(subject.to_string(), (x + 16, 29), text(15)))?;
        // A group takes its share of the height; the rest of it is the gap.
        let thickness = f64::from(BAR) / f64::from(3 * BAR + GAP);
        let top = |group: usize| group as f64 + 0.11 + thickness * index as f64;
        let bars = groups.iter().enumerate().map(|(group, (_, bars))| (top(group), bars[index]));
        chart.draw_series(bars.clone().map(|(top, Spread { median, .. })| {
            Rectangle::new([(0.0, top), (median, top + 0.9 * thickness)], fill)
        }))?;
        chart.draw_series(bars.clone().map(|(top, Spread { low, high, .. })| {
            let middle = top + 0.45 * thickness;
            PathElement::new([(low, middle), (high, middle)], GREY.stroke_width(2))
        }))?;
        chart.draw_series(bars.map(|(top, Spread { median, high, .. })| {
            EmptyElement::at((high.max(median), top)) + Text::new(number(median), (6, 0), text(14))
        }))?;
    }
    root.present()?;
    drop(chart);
    drop(root);
    let title = format!(" role=\"img\">\n<title>{title}</title>");
    Ok(format!("<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n{}", svg.replacen('>', &title, 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_have_a_bar_and_a_value_for_each_subject() {
        let bars = [1.0, 2.0, 3.0].map(|value| Spread { low: value, median: value, high: value });
        let chart = bar_chart("a title", &[("a label".into(), bars)]).unwrap();
        assert_eq!(chart.matches("<rect").count(), 2 * Subject::VARIANTS.len(), "{chart}");
        for text in ["\na title\n", "\na label\n", "\n2.00\n", "<title>a title</title>"] {
            assert!(chart.contains(text), "{text} is not in {chart}");
        }
    }
}
