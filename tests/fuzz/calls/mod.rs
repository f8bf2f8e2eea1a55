// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C ABI: any calls in any order, from callbacks too, with good and bad arguments.
//!
//! No call reports a panic or writes an output when it fails, and each program is released once.

mod connection;
mod cookie;
mod settings;
mod world;

use super::repeatable;
use world::World;

const MOST_CALLS: u32 = 400;

pub fn run(input: &[u8]) {
    world::with_contexts(|contexts| {
        repeatable::restart();
        let world = World::new(contexts, input);
        for _ in 0..MOST_CALLS {
            if world.is_at_end() {
                break;
            }
            world.act();
        }
        world.end();
    });
}
