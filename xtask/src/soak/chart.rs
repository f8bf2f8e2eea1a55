// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server over time: its memory, and its processor time before a flood and during it.

use super::trial::{Column, Trial};
use anyhow::Result;
use itertools::Itertools;
use plotters::prelude::*;
use std::iter;

const SIZE: (u32, u32) = (760, 300);
const GREY: RGBColor = RGBColor(128, 128, 128);
/// Which can be read on a light and on a dark page.
const COLOURS: [RGBColor; 2] = [RGBColor(217, 118, 43), RGBColor(74, 144, 194)];

/// As many lines as there are colours, each with its name.
struct Chart<'a> {
    title: &'a str,
    x: &'a str,
    lines: [(&'a str, Vec<(f64, f64)>); COLOURS.len()],
}

pub fn memory(trial: &Trial) -> Result<String> {
    let line = |value: Column| {
        let samples = trial.samples.iter().chain(&trial.flood).enumerate();
        let mib = |sample| value(sample) as f64 / f64::from(1 << 20);
        samples.map(|(second, sample)| (second as f64 / 60.0, mib(sample))).collect()
    };
    let resident = ("resident memory, MiB", line(|sample| sample.resident));
    let lines = [resident, ("heap, MiB", line(|sample| sample.heap))];
    draw(&Chart { title: "Memory of the server over time", x: "minutes", lines })
}

pub fn processor(ours: &Trial, stock: &Trial) -> Result<String> {
    let lines = [("stock, ms per second", processor_of(stock)), ("ours, ms per second", processor_of(ours))];
    draw(&Chart { title: "Processor time of the server in a flood", x: "seconds of the flood", lines })
}

/// For as many seconds before the flood as during it; the time is that since the second before.
fn processor_of(trial: &Trial) -> Vec<(f64, f64)> {
    let seconds = trial.flood.len();
    let before = trial.samples.iter().skip(trial.samples.len().saturating_sub(seconds + 1));
    let used = before.chain(&trial.flood).map(|sample| sample.processor_ms as f64).tuple_windows();
    let used: Vec<f64> = used.map(|(earlier, later)| later - earlier).collect();
    let first = seconds as f64 - used.len() as f64;
    iter::successors(Some(first), |second| Some(second + 1.0)).zip(used).collect()
}

fn draw(Chart { title, x, lines }: &Chart<'_>) -> Result<String> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let highest = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let (first, last) = points().map(|(x, _)| *x).minmax().into_option().unwrap_or_default();
    let text = |size: u32| ("sans-serif", size).into_font().color(&GREY);

    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    let mut builder = ChartBuilder::on(&root);
    builder.margin(16).margin_top(40).x_label_area_size(32).y_label_area_size(48);
    let mut chart = builder.build_cartesian_2d(first..last, 0.0..1.1 * highest)?;
    let mut axes = chart.configure_mesh();
    axes.disable_mesh().axis_style(GREY).x_label_style(text(14)).y_label_style(text(14));
    axes.x_desc(*x).draw()?;
    for (index, ((name, points), colour)) in lines.iter().zip(COLOURS).enumerate() {
        chart.draw_series([PathElement::new(points.clone(), colour.stroke_width(2))])?;
        let x = 64 + 240 * index as i32;
        root.draw(&Rectangle::new([(x, 16), (x + 11, 27)], colour.filled()))?;
        root.draw(&Text::new(*name, (x + 18, 15), text(15)))?;
    }
    root.present()?;
    drop(chart);
    drop(root);
    let title = format!(" role=\"img\">\n<title>{title}</title>");
    Ok(format!("<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n{}", svg.replacen('>', &title, 1)))
}
