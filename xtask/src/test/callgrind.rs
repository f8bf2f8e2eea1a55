// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading what callgrind has counted, and telling whose instructions they are.
//!
//! libc works for whoever calls it: memory that OpenSSL allocates is OpenSSL's cost. Callgrind knows what each call has
//! cost with all that it led to, and libc calls nobody back, so its share can be told by the calls into it.

use crate::build::plugin::{self, Flavour};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;

/// Runs a program under callgrind, which counts from where the program asks for it.
pub fn wrapper(report: &Path) -> [String; 5] {
    let out_file = format!("--callgrind-out-file={}", report.display());
    ["valgrind", "--quiet", "--tool=callgrind", "--collect-atstart=no", &out_file].map(String::from)
}

/// Instructions by whose they are.
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
        Self {
            ours: self.ours / count,
            qt: self.qt / count,
            openssl: self.openssl / count,
            libc_for_openssl: self.libc_for_openssl / count,
            libc_for_others: self.libc_for_others / count,
        }
    }
}

/// Whose a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Ours,
    Qt,
    OpenSsl,
    Libc,
    /// The program that is run. What it does is not what is measured.
    Program,
}

impl Owner {
    fn of(function: &Function, flavour: Flavour) -> Self {
        let library = function.object.rsplit('/').next().unwrap_or_default();
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| library.starts_with(prefix));
        if library == plugin::FILE_NAME {
            // Functions of templates and of Rust's standard library are there for whoever uses them: on our plugin, us.
            let of_qt = flavour == Flavour::Stock || function.file.contains("/src/plugins/tls/");
            if of_qt { Self::Qt } else { Self::Ours }
        } else if starts(&["libQt6"]) {
            Self::Qt
        } else if starts(&["libssl.", "libcrypto."]) {
            Self::OpenSsl
        } else if starts(&["libc.", "ld-linux", "libstdc++", "libgcc_s", "libm.", "libpthread"]) {
            Self::Libc
        } else {
            Self::Program
        }
    }
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

/// What callgrind calls a library, or a file, that it does not know.
const UNKNOWN: &str = "???";

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
        let (mut objects, mut files, mut names) = (Names::default(), Names::default(), Names::default());
        let mut profile = Self::default();
        let (mut here, mut callee) = (Function::default(), Function::default());
        let mut is_call = false;
        for line in text.lines() {
            match line.split_once('=') {
                Some(("ob", name)) => here.object = objects.resolve(name)?,
                Some(("fl", name)) => here.file = files.resolve(name)?,
                // Code of another file that was put into this function, which stays what it is.
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
                        // What is not said of the next callee is as in the caller.
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

    /// The stubs through which a library calls others are in no library that callgrind knows of: they are put where
    /// they are called from.
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
        let mut settled = Self::default();
        for (function, cost) in self.functions {
            *settled.functions.entry(settle(function)).or_default() += cost;
        }
        for ((caller, callee), cost) in self.calls {
            *settled.calls.entry((settle(caller), settle(callee))).or_default() += cost;
        }
        settled
    }

    /// Whose the instructions are.
    pub fn split(&self, flavour: Flavour) -> Split {
        let mut split = Split::default();
        for (function, cost) in &self.functions {
            match Owner::of(function, flavour) {
                Owner::Ours => split.ours += cost,
                Owner::Qt => split.qt += cost,
                Owner::OpenSsl => split.openssl += cost,
                Owner::Libc | Owner::Program => {}
            }
        }
        for ((caller, callee), cost) in &self.calls {
            match (Owner::of(caller, flavour), Owner::of(callee, flavour)) {
                (Owner::OpenSsl, Owner::Libc) => split.libc_for_openssl += cost,
                (Owner::Ours | Owner::Qt, Owner::Libc) => split.libc_for_others += cost,
                _ => {}
            }
        }
        split
    }

    /// The functions outside OpenSSL that cost most by themselves, and the libraries they lie in.
    pub fn dearest_outside_openssl(&self, flavour: Flavour, count: usize) -> Vec<(String, u64)> {
        let mut by_name = HashMap::<String, u64>::new();
        let mut add = |function: &Function, cost| {
            let library = function.object.rsplit('/').next().unwrap_or_default();
            *by_name.entry(format!("{} ({library})", function.name)).or_default() += cost;
        };
        for (function, &cost) in &self.functions {
            if matches!(Owner::of(function, flavour), Owner::Ours | Owner::Qt) {
                add(function, cost);
            }
        }
        for ((caller, callee), &cost) in &self.calls {
            let for_others = matches!(Owner::of(caller, flavour), Owner::Ours | Owner::Qt);
            if for_others && Owner::of(callee, flavour) == Owner::Libc {
                add(callee, cost);
            }
        }
        most(by_name, count)
    }

    /// The functions of OpenSSL on which most is spent when they are called from outside, with all that they lead to.
    pub fn dearest_of_openssl(&self, flavour: Flavour, count: usize) -> Vec<(String, u64)> {
        let mut by_name = HashMap::<String, u64>::new();
        for ((caller, callee), cost) in &self.calls {
            let from_outside = !matches!(Owner::of(caller, flavour), Owner::OpenSsl | Owner::Libc);
            if from_outside && Owner::of(callee, flavour) == Owner::OpenSsl {
                *by_name.entry(callee.name.clone()).or_default() += cost;
            }
        }
        most(by_name, count)
    }
}

fn most(by_name: HashMap<String, u64>, count: usize) -> Vec<(String, u64)> {
    let mut dearest: Vec<_> = by_name.into_iter().collect();
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

    const REPORT: &str = "\
positions: line
events: Ir

ob=(1) /bin/dtls_cost
fl=(1) main.cpp
fn=(1) main
5 10
cob=(2) /plugins/libqopensslbackend.so
cfi=(2) /src/session.rs
cfn=(2) ours
calls=1 3
+1 1000

ob=(2)
fl=(2)
fn=(2)
3 100
fi=(3) /usr/include/qt6/x.h
* 5
cob=(3) /lib/libcrypto.so.3
cfi=(4) ???
cfn=(3) HMAC
calls=1 0
7 600
cob=(4) /lib/libc.so.6
cfi=(4)
cfn=(4) malloc
calls=1 0
-2 50
cfi=(5) /qt/src/plugins/tls/openssl/qx509_openssl.cpp
cfn=(5) toQt
calls=1 0
* 245

ob=(3)
fl=(4)
fn=(3)
0 560
cob=(4)
cfn=(4)
calls=2 0
0 40

ob=(4)
fn=(4)
0 90

ob=(2)
fl=(5)
fn=(5)
0 245
totals: 1010
";

    fn profile() -> Profile {
        Profile::read(REPORT).unwrap()
    }

    #[test]
    fn instructions_go_to_whose_they_are() {
        let split = profile().split(Flavour::Rust);
        let expected = Split { ours: 105, qt: 245, openssl: 560, libc_for_openssl: 40, libc_for_others: 50 };
        assert_eq!(split, expected);
        assert_eq!((split.total(), split.outside_openssl()), (1000, 400));
        assert_eq!(split.each(5).ours, 21);
    }

    #[test]
    fn all_of_stocks_plugin_is_qts() {
        let split = profile().split(Flavour::Stock);
        assert_eq!((split.ours, split.qt), (0, 350));
    }

    #[test]
    fn openssls_own_calls_are_not_calls_from_outside() {
        let within = "ob=(3)\nfn=(3)\ncob=(3)\ncfn=(6) EVP_DigestUpdate\ncalls=1 0\n0 300\n";
        let profile = Profile::read(&format!("{REPORT}{within}")).unwrap();
        assert_eq!(profile.dearest_of_openssl(Flavour::Rust, 3), [("HMAC".to_owned(), 600)]);
    }

    #[test]
    fn what_others_ask_of_libc_is_outside_openssl() {
        let dearest = profile().dearest_outside_openssl(Flavour::Rust, 2);
        let expected = [("toQt (libqopensslbackend.so)", 245), ("ours (libqopensslbackend.so)", 105)];
        assert_eq!(dearest, expected.map(|(name, cost)| (name.to_owned(), cost)));
        let dearest = profile().dearest_outside_openssl(Flavour::Rust, 9);
        assert_eq!(dearest.last(), Some(&("malloc (libc.so.6)".to_owned(), 50)));
    }

    #[test]
    fn a_stub_belongs_to_its_caller() {
        let stub = "\
            ob=(3)\nfn=(3)\ncob=(5) ???\ncfn=(7) 0x1000\ncalls=1 0\n0 25\n\
            ob=(5)\nfn=(7)\n0 5\ncob=(4)\ncfn=(4)\ncalls=1 0\n0 20\nob=(4)\nfn=(4)\n0 20\n";
        let split = Profile::read(&format!("{REPORT}{stub}")).unwrap().split(Flavour::Rust);
        assert_eq!((split.openssl, split.libc_for_openssl), (565, 60));
    }

    #[test]
    fn an_empty_report_is_none() {
        assert!(Profile::read("events: Ir\ntotals: 0\n").is_err());
        assert!(Profile::read("fn=main\n0 5\n").is_err());
    }
}
