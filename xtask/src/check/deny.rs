// SPDX-License-Identifier: MIT OR Apache-2.0
//! cargo-deny: licences, duplicates and origins of our dependencies, by the rules in `deny.toml`.

use crate::system::{Environment, Run, cmd, shell, tools};
use anyhow::Result;

/// Checks all but the advisories, whose database would have to be fetched each time.
pub fn check(environment: &Environment) -> Result<()> {
    let deny = tools::find("cargo-deny", "0.20.2", environment)?;
    cmd!(shell(), "{deny} --log-level warn check bans licenses sources").quietly()
}
