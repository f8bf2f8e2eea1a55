// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask figures`: draws docs/figures/*.svg from their sources with Graphviz and mscgen.

use crate::system::{Environment, Run, cmd, packages, shell, workspace};
use anyhow::Result;
use std::fs;

const LICENCE: &str = "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n";

pub fn draw(environment: &Environment) -> Result<()> {
    packages::ensure(packages::FIGURES, environment)?;
    let architecture = cmd!(shell(), "dot -Tsvg docs/figures/architecture.dot").capture()?;
    let (declaration, rest) = architecture.split_once('\n').unwrap_or_default();
    write("architecture", &format!("{declaration}\n{LICENCE}{rest}\n"))?;
    // mscgen draws black on nothing, in a font that it does not know the width of.
    let handshake = cmd!(shell(), "mscgen -T svg -i docs/figures/handshake.msc -o -").capture()?;
    let background = "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<polygon";
    let legible = handshake.replacen("<polygon", background, 1).replace(
        "font-family=\"Helvetica\" font-size=\"12\"",
        "font-family=\"sans-serif\" font-size=\"10.5\" dy=\"-2\"",
    );
    write("handshake", &format!("{LICENCE}{legible}\n"))
}

fn write(name: &str, svg: &str) -> Result<()> {
    let path = workspace::root().join("docs/figures").join(format!("{name}.svg"));
    fs::write(&path, svg)?;
    println!("{}", path.display());
    Ok(())
}
