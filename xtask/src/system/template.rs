// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents from templates.

use anyhow::{Context, Result};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

/// Renders a template of Markdown. A name that the context lacks is an error.
pub fn render(template: &str, context: impl Serialize) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.render_str(template, context).context("cannot render the document")
}
