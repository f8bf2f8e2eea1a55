// SPDX-License-Identifier: MIT OR Apache-2.0
//! callgrind's counts, and whose instructions they are.
//!
//! libc counts as its caller's: memory that OpenSSL allocates is OpenSSL's cost. Callgrind knows what each call has
//! cost with all that it led to, and libc calls nothing back, so the calls into it tell its share.

use crate::build::{Flavour, plugin};
use anyhow::{Result, ensure};
use itertools::Itertools;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::mem::{replace, take};
use std::path::Path;

/// Runs a program under callgrind, which counts from where the program asks for it.
pub fn wrapper(report: &Path) -> [String; 5] {
    let out_file = format!("--callgrind-out-file={}", report.display());
    ["valgrind", "--quiet", "--tool=callgrind", "--collect-atstart=no", &out_file].map(String::from)
}

/// Instructions of one operation by owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Split {
    /// This library and its adapter.
    pub ours: u64,
    /// Qt, the rest of its plugin included.
    pub qt: u64,
    pub openssl: u64,
    /// libc and the C++ library, called by OpenSSL.
    pub libc_for_openssl: u64,
    /// The same, called by ours or by Qt.
    pub libc_for_others: u64,
}

impl Split {
    pub fn total(&self) -> u64 {
        self.outside_openssl() + self.openssl + self.libc_for_openssl
    }

    pub fn outside_openssl(&self) -> u64 {
        self.ours + self.qt + self.libc_for_others
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Ours,
    Qt,
    OpenSsl,
    Libc,
    /// The program that is run, which is not what is measured.
    Program,
}

/// Whose instructions are not OpenSSL's.
const OTHERS: [Owner; 2] = [Owner::Ours, Owner::Qt];

/// What each function cost by itself, and each pair of caller and callee with all that the call led to, in some number
/// of operations. What is derived from it is of one operation.
pub struct Profile {
    flavour: Flavour,
    operations: u64,
    functions: HashMap<Function, u64>,
    calls: HashMap<(Function, Function), u64>,
}

/// How many functions a ranking has.
const DEAREST: usize = 12;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Function {
    object: String,
    file: String,
    name: String,
}

/// callgrind's name for a library, or a file, that it does not know.
const UNKNOWN: &str = "???";

impl Function {
    fn library(&self) -> &str {
        self.object.rsplit('/').next().unwrap_or_default()
    }

    fn owner(&self, flavour: Flavour) -> Owner {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| self.library().starts_with(prefix));
        if self.library() == plugin::FILE_NAME {
            // Functions of templates and of Rust's standard library count as ours on our plugin.
            let is_qt = flavour == Flavour::STOCK || self.file.contains("/src/plugins/tls/");
            if is_qt { Owner::Qt } else { Owner::Ours }
        } else if starts(&["libQt6"]) {
            Owner::Qt
        } else if starts(&["libssl.", "libcrypto."]) {
            Owner::OpenSsl
        } else if starts(&["libc.", "ld-linux", "libstdc++", "libgcc_s", "libm.", "libpthread"]) {
            Owner::Libc
        } else {
            Owner::Program
        }
    }
}

impl Profile {
    /// Reads callgrind's file of events `Ir`.
    pub fn read(text: &str, flavour: Flavour, operations: u64) -> Result<Self> {
        ensure!(text.lines().any(|line| line == "events: Ir"), "callgrind has not counted Ir");
        // Names are spelt out once, `(7) name`, and then referred to as `(7)`.
        let mut names = HashMap::new();
        let mut resolve = |kind: &'static str, text: &str| {
            let Some((number, name)) = text.split_once(')') else { return Ok(text.to_owned()) };
            let known = names.entry((kind, number.to_owned()));
            let known = known.or_insert_with(|| name.trim_start().to_owned());
            ensure!(!known.is_empty(), "name {text} is not known");
            Ok(known.clone())
        };
        let (mut functions, mut calls) = (Vec::new(), Vec::new());
        let (mut here, mut callee) = (Function::default(), Function::default());
        let mut is_call = false;
        for line in text.lines() {
            match line.split_once('=') {
                Some(("ob", name)) => here.object = resolve("object", name)?,
                Some(("fl", name)) => here.file = resolve("file", name)?,
                // Code of another file, inlined into this function.
                Some(("fi" | "fe", name)) => drop(resolve("file", name)?),
                Some(("fn", name)) => {
                    here.name = resolve("function", name)?;
                    callee = here.clone();
                }
                Some(("cob", name)) => callee.object = resolve("object", name)?,
                Some(("cfi" | "cfl", name)) => callee.file = resolve("file", name)?,
                Some(("cfn", name)) => callee.name = resolve("function", name)?,
                Some(("calls", _)) => is_call = true,
                _ => {
                    let Some(cost) = cost(line) else { continue };
                    if take(&mut is_call) {
                        // What the next call leaves out is as in the caller.
                        let called = replace(&mut callee, here.clone());
                        calls.push(((here.clone(), called), cost));
                    } else {
                        functions.push((here.clone(), cost));
                    }
                }
            }
        }
        ensure!(!functions.is_empty(), "callgrind collected nothing");
        let settle = stubs_at_home(&calls);
        let functions = functions.into_iter().map(|(function, cost)| (settle(function), cost));
        let calls = calls
            .iter()
            .map(|((caller, callee), cost)| ((settle(caller.clone()), settle(callee.clone())), *cost));
        let (functions, calls) = (functions.into_grouping_map().sum(), calls.into_grouping_map().sum());
        Ok(Self { flavour, operations, functions, calls })
    }

    fn owner(&self, function: &Function) -> Owner {
        function.owner(self.flavour)
    }

    pub fn split(&self) -> Split {
        let own = |owner| {
            let functions = self.functions.iter().filter(|(function, _)| self.owner(function) == owner);
            functions.map(|(_, cost)| cost).sum::<u64>() / self.operations
        };
        let of_libc = |callers: &[Owner]| {
            let calls = self.calls_of_libc(callers);
            calls.map(|(_, cost)| cost).sum::<u64>() / self.operations
        };
        Split {
            ours: own(Owner::Ours),
            qt: own(Owner::Qt),
            openssl: own(Owner::OpenSsl),
            libc_for_openssl: of_libc(&[Owner::OpenSsl]),
            libc_for_others: of_libc(&OTHERS),
        }
    }

    /// All instructions, of any owner.
    pub fn all(&self) -> u64 {
        self.functions.values().sum::<u64>() / self.operations
    }

    /// What functions of libc cost for these callers.
    fn calls_of_libc(&self, callers: &[Owner]) -> impl Iterator<Item = (&Function, &u64)> {
        let calls = self.calls.iter().filter(move |((caller, callee), _)| {
            callers.contains(&self.owner(caller)) && self.owner(callee) == Owner::Libc
        });
        calls.map(|((_, callee), cost)| (callee, cost))
    }

    /// The functions outside OpenSSL that cost most by themselves, and the libraries they lie in.
    pub fn dearest_outside_openssl(&self) -> Vec<(String, u64)> {
        let own = self.functions.iter().filter(|(function, _)| OTHERS.contains(&self.owner(function)));
        let all = own.chain(self.calls_of_libc(&OTHERS));
        self.dearest(
            all.map(|(function, cost)| (format!("{} ({})", function.name, function.library()), *cost)),
        )
    }

    /// The functions of OpenSSL that cost most when code outside OpenSSL calls them, with all that they call.
    pub fn dearest_of_openssl(&self) -> Vec<(String, u64)> {
        let entries = self.calls.iter().filter(|((caller, callee), _)| {
            let from_outside = !matches!(self.owner(caller), Owner::OpenSsl | Owner::Libc);
            from_outside && self.owner(callee) == Owner::OpenSsl
        });
        self.dearest(entries.map(|((_, callee), cost)| (callee.name.clone(), *cost)))
    }

    fn dearest(&self, costs: impl Iterator<Item = (String, u64)>) -> Vec<(String, u64)> {
        let sums = costs.into_grouping_map().sum().into_iter();
        let sorted = sums.sorted_by_key(|(name, cost)| (Reverse(*cost), name.clone())).take(DEAREST);
        sorted.map(|(name, cost)| (name, cost / self.operations)).collect()
    }
}

/// The stubs through which a library calls others are in no library that callgrind knows of: they go to the library that
/// calls them most.
fn stubs_at_home(calls: &[((Function, Function), u64)]) -> impl Fn(Function) -> Function {
    let mut homes = HashMap::<Function, (u64, String)>::new();
    for ((caller, callee), cost) in calls.iter().cloned().into_grouping_map().sum() {
        if callee.object == UNKNOWN && caller.object != UNKNOWN {
            let home = homes.entry(callee).or_default();
            *home = (cost, caller.object).max(take(home));
        }
    }
    move |function| match homes.get(&function) {
        Some((_, object)) => Function { object: object.clone(), ..function },
        None => function,
    }
}

/// `+3 17`: a position, which may be relative, and a number of instructions.
fn cost(line: &str) -> Option<u64> {
    let (position, cost) = line.split_once(' ')?;
    let is_position = position == "*" || position.trim_start_matches(['+', '-']).parse::<u64>().is_ok();
    if is_position { cost.trim().parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = include_str!("../../fixtures/callgrind.out");

    fn profile(addition: &str, flavour: Flavour) -> Profile {
        Profile::read(&format!("{REPORT}{addition}"), flavour, 1).unwrap()
    }

    #[test]
    fn instructions_go_to_their_owner() {
        let split = profile("", Flavour::OURS).split();
        let expected = Split { ours: 105, qt: 245, openssl: 560, libc_for_openssl: 40, libc_for_others: 50 };
        assert_eq!(split, expected);
        assert_eq!((split.total(), split.outside_openssl()), (1000, 400));
        let stock = profile("", Flavour::STOCK).split();
        assert_eq!((stock.ours, stock.qt), (0, 350));
        assert_eq!(Profile::read(REPORT, Flavour::OURS, 5).unwrap().split().ours, 21);
        // A stub belongs to its caller.
        let stub = "\
            ob=(3)\nfn=(3)\ncob=(5) ???\ncfn=(7) 0x1000\ncalls=1 0\n0 25\n\
            ob=(5)\nfn=(7)\n0 5\ncob=(4)\ncfn=(4)\ncalls=1 0\n0 20\nob=(4)\nfn=(4)\n0 20\n";
        let split = profile(stub, Flavour::OURS).split();
        assert_eq!((split.openssl, split.libc_for_openssl), (565, 60));
    }

    #[test]
    fn rankings_have_the_calls_from_outside_and_those_of_libc() {
        let within = "ob=(3)\nfn=(3)\ncob=(3)\ncfn=(6) EVP_DigestUpdate\ncalls=1 0\n0 300\n";
        let profile = profile(within, Flavour::OURS);
        assert_eq!(profile.dearest_of_openssl(), [("HMAC".to_owned(), 600)]);
        let expected = [
            ("toQt (libqopensslbackend.so)", 245),
            ("ours (libqopensslbackend.so)", 105),
            ("malloc (libc.so.6)", 50),
        ];
        assert_eq!(profile.dearest_outside_openssl(), expected.map(|(name, cost)| (name.to_owned(), cost)));
    }

    #[test]
    fn an_empty_report_is_none() {
        for report in ["events: Ir\ntotals: 0\n", "fn=main\n0 5\n", "events: Ir\nfn=(1)\n0 5\n"] {
            assert!(Profile::read(report, Flavour::OURS, 1).is_err(), "{report}");
        }
    }
}
