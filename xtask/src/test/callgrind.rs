// SPDX-License-Identifier: MIT OR Apache-2.0
//! callgrind's counts, and whose instructions they are.
//!
//! libc counts as its caller's: memory that OpenSSL allocates is OpenSSL's cost. Callgrind knows what each call has
//! cost with all that it led to, and libc calls nothing back, so the calls into it tell its share.

use crate::build::{Flavour, plugin};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;

/// Runs a program under callgrind, which counts from where the program asks for it.
pub fn wrapper(report: &Path) -> [String; 5] {
    let out_file = format!("--callgrind-out-file={}", report.display());
    ["valgrind", "--quiet", "--tool=callgrind", "--collect-atstart=no", &out_file].map(String::from)
}

/// Instructions by owner.
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

    /// Of one operation, when `count` were counted.
    pub fn each(&self, count: u64) -> Self {
        let Self { ours, qt, openssl, libc_for_openssl, libc_for_others } = *self;
        let [ours, qt, openssl] = [ours, qt, openssl].map(|cost| cost / count);
        let [libc_for_openssl, libc_for_others] =
            [libc_for_openssl, libc_for_others].map(|cost| cost / count);
        Self { ours, qt, openssl, libc_for_openssl, libc_for_others }
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

/// What each function cost by itself, and each pair of caller and callee with all that the call led to.
#[derive(Default)]
pub struct Profile {
    functions: HashMap<Function, u64>,
    calls: HashMap<(Function, Function), u64>,
}

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

/// Names are spelt out once, `(7) name`, and then referred to as `(7)`.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn resolve(&mut self, text: &str) -> Result<String> {
        let Some((number, name)) = text.split_once(')') else {
            return Ok(text.to_owned());
        };
        if !name.is_empty() {
            self.0.insert(number.to_owned(), name.trim_start().to_owned());
        }
        self.0.get(number).cloned().with_context(|| format!("name {text} is not known"))
    }
}

impl Profile {
    /// Reads callgrind's file of events `Ir`.
    pub fn read(text: &str) -> Result<Self> {
        ensure!(text.lines().any(|line| line == "events: Ir"), "callgrind has not counted Ir");
        let [mut objects, mut files, mut names] = [(); 3].map(|()| Names::default());
        let mut profile = Self::default();
        let (mut here, mut callee) = (Function::default(), Function::default());
        let mut is_call = false;
        for line in text.lines() {
            match line.split_once('=') {
                Some(("ob", name)) => here.object = objects.resolve(name)?,
                Some(("fl", name)) => here.file = files.resolve(name)?,
                // Code of another file, inlined into this function.
                Some(("fi" | "fe", name)) => drop(files.resolve(name)?),
                Some(("fn", name)) => {
                    here.name = names.resolve(name)?;
                    callee = here.clone();
                }
                Some(("cob", name)) => callee.object = objects.resolve(name)?,
                Some(("cfi" | "cfl", name)) => callee.file = files.resolve(name)?,
                Some(("cfn", name)) => callee.name = names.resolve(name)?,
                Some(("calls", _)) => is_call = true,
                _ => {
                    let Some(cost) = cost(line) else { continue };
                    if std::mem::take(&mut is_call) {
                        // What the next call leaves out is as in the caller.
                        let called = std::mem::replace(&mut callee, here.clone());
                        *profile.calls.entry((here.clone(), called)).or_default() += cost;
                    } else {
                        *profile.functions.entry(here.clone()).or_default() += cost;
                    }
                }
            }
        }
        ensure!(!profile.functions.is_empty(), "callgrind collected nothing");
        Ok(profile.with_stubs_at_home())
    }

    /// The stubs through which a library calls others are in no library that callgrind knows of: they go to the library
    /// that calls them most.
    fn with_stubs_at_home(self) -> Self {
        let mut homes = HashMap::<Function, (u64, String)>::new();
        for ((caller, callee), &cost) in &self.calls {
            let home = homes.entry(callee.clone()).or_default();
            if callee.object == UNKNOWN && caller.object != UNKNOWN && cost >= home.0 {
                *home = (cost, caller.object.clone());
            }
        }
        let settle = |function: Function| match homes.get(&function) {
            Some((_, object)) if !object.is_empty() => Function { object: object.clone(), ..function },
            _ => function,
        };
        let functions = self.functions.into_iter().map(|(function, cost)| (settle(function), cost));
        let calls = self.calls.into_iter();
        let calls = calls.map(|((caller, callee), cost)| ((settle(caller), settle(callee)), cost));
        Self { functions: sum(functions), calls: sum(calls) }
    }

    pub fn split(&self, flavour: Flavour) -> Split {
        let mut split = Split::default();
        for (function, cost) in &self.functions {
            match function.owner(flavour) {
                Owner::Ours => split.ours += cost,
                Owner::Qt => split.qt += cost,
                Owner::OpenSsl => split.openssl += cost,
                Owner::Libc | Owner::Program => {}
            }
        }
        for ((caller, callee), cost) in &self.calls {
            match (caller.owner(flavour), callee.owner(flavour)) {
                (Owner::OpenSsl, Owner::Libc) => split.libc_for_openssl += cost,
                (Owner::Ours | Owner::Qt, Owner::Libc) => split.libc_for_others += cost,
                _ => {}
            }
        }
        split
    }

    /// The functions outside OpenSSL that cost most by themselves, and the libraries they lie in.
    pub fn dearest_outside_openssl(&self, flavour: Flavour, count: usize) -> Vec<(String, u64)> {
        let is_other = |function: &Function| matches!(function.owner(flavour), Owner::Ours | Owner::Qt);
        let own = self.functions.iter().filter(|(function, _)| is_other(function));
        let of_libc = self
            .calls
            .iter()
            .filter(|((caller, callee), _)| is_other(caller) && callee.owner(flavour) == Owner::Libc);
        let all = own.chain(of_libc.map(|((_, callee), cost)| (callee, cost)));
        most(
            all.map(|(function, cost)| (format!("{} ({})", function.name, function.library()), *cost)),
            count,
        )
    }

    /// The functions of OpenSSL that cost most when code outside OpenSSL calls them, with all that they call.
    pub fn dearest_of_openssl(&self, flavour: Flavour, count: usize) -> Vec<(String, u64)> {
        let is_entry = |(caller, callee): &(Function, Function)| {
            let from_outside = !matches!(caller.owner(flavour), Owner::OpenSsl | Owner::Libc);
            from_outside && callee.owner(flavour) == Owner::OpenSsl
        };
        let entries = self.calls.iter().filter(|(call, _)| is_entry(call));
        most(entries.map(|((_, callee), cost)| (callee.name.clone(), *cost)), count)
    }
}

fn sum<K: Eq + std::hash::Hash>(costs: impl Iterator<Item = (K, u64)>) -> HashMap<K, u64> {
    let mut sums = HashMap::new();
    for (key, cost) in costs {
        *sums.entry(key).or_default() += cost;
    }
    sums
}

fn most(costs: impl Iterator<Item = (String, u64)>, count: usize) -> Vec<(String, u64)> {
    let mut dearest: Vec<_> = sum(costs).into_iter().collect();
    dearest.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    dearest.truncate(count);
    dearest
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

    fn profile() -> Profile {
        Profile::read(REPORT).unwrap()
    }

    #[test]
    fn instructions_go_to_their_owner() {
        let split = profile().split(Flavour::OURS);
        let expected = Split { ours: 105, qt: 245, openssl: 560, libc_for_openssl: 40, libc_for_others: 50 };
        assert_eq!(split, expected);
        assert_eq!((split.total(), split.outside_openssl()), (1000, 400));
        assert_eq!(split.each(5).ours, 21);
        let stock = profile().split(Flavour::STOCK);
        assert_eq!((stock.ours, stock.qt), (0, 350));
    }

    #[test]
    fn calls_within_openssl_are_not_calls_from_outside() {
        let within = "ob=(3)\nfn=(3)\ncob=(3)\ncfn=(6) EVP_DigestUpdate\ncalls=1 0\n0 300\n";
        let profile = Profile::read(&format!("{REPORT}{within}")).unwrap();
        assert_eq!(profile.dearest_of_openssl(Flavour::OURS, 3), [("HMAC".to_owned(), 600)]);
    }

    #[test]
    fn libc_called_by_others_is_outside_openssl() {
        let dearest = profile().dearest_outside_openssl(Flavour::OURS, 9);
        let expected = [("toQt (libqopensslbackend.so)", 245), ("ours (libqopensslbackend.so)", 105)];
        assert_eq!(dearest[..2], expected.map(|(name, cost)| (name.to_owned(), cost)));
        assert_eq!(dearest[2..], [("malloc (libc.so.6)".to_owned(), 50)]);
        assert_eq!(profile().dearest_outside_openssl(Flavour::OURS, 2), dearest[..2]);
    }

    #[test]
    fn a_stub_belongs_to_its_caller() {
        let stub = "\
            ob=(3)\nfn=(3)\ncob=(5) ???\ncfn=(7) 0x1000\ncalls=1 0\n0 25\n\
            ob=(5)\nfn=(7)\n0 5\ncob=(4)\ncfn=(4)\ncalls=1 0\n0 20\nob=(4)\nfn=(4)\n0 20\n";
        let split = Profile::read(&format!("{REPORT}{stub}")).unwrap().split(Flavour::OURS);
        assert_eq!((split.openssl, split.libc_for_openssl), (565, 60));
    }

    #[test]
    fn an_empty_report_is_none() {
        assert!(Profile::read("events: Ir\ntotals: 0\n").is_err());
        assert!(Profile::read("fn=main\n0 5\n").is_err());
    }
}
