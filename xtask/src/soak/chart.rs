// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server's memory over time.

use super::trial::{Column, Trial};
use anyhow::Result;
use plotters::prelude::*;

const SIZE: (u32, u32) = (760, 300);
const GREY: RGBColor = RGBColor(128, 128, 128);
/// What a line shows, and its colour, which can be read on a light and on a dark page.
const LINES: [(&str, RGBColor, Column); 2] = [
    ("resident memory, MiB", RGBColor(217, 118, 43), |sample| sample.resident),
    ("heap, MiB", RGBColor(74, 144, 194), |sample| sample.heap),
];

pub fn draw(trial: &Trial) -> Result<String> {
    let samples = || trial.samples.iter().chain(&trial.flood);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let highest = samples().map(|sample| mib(sample.resident.max(sample.heap))).fold(0.0, f64::max);
    let minutes = samples().count() as f64 / 60.0;
    let text = |size: u32| ("sans-serif", size).into_font().color(&GREY);

    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    let mut builder = ChartBuilder::on(&root);
    builder.margin(16).margin_top(40).x_label_area_size(32).y_label_area_size(48);
    let mut chart = builder.build_cartesian_2d(0.0..minutes, 0.0..1.1 * highest)?;
    let mut axes = chart.configure_mesh();
    axes.disable_mesh().axis_style(GREY).x_label_style(text(14)).y_label_style(text(14));
    axes.x_desc("minutes").draw()?;
    for (index, (title, colour, value)) in LINES.into_iter().enumerate() {
        let points = samples().enumerate().map(|(second, sample)| (second as f64 / 60.0, mib(value(sample))));
        chart.draw_series([PathElement::new(points.collect::<Vec<_>>(), colour.stroke_width(2))])?;
        let x = 64 + 240 * index as i32;
        root.draw(&Rectangle::new([(x, 16), (x + 11, 27)], colour.filled()))?;
        root.draw(&Text::new(title, (x + 18, 15), text(15)))?;
    }
    root.present()?;
    drop(chart);
    drop(root);
    let title = " role=\"img\">\n<title>Memory of the server over time</title>";
    Ok(format!("<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n{}", svg.replacen('>', title, 1)))
}
