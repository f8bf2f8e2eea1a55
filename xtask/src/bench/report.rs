// SPDX-License-Identifier: MIT OR Apache-2.0
//! `docs/performance.md`, its charts, and the raw numbers.

use super::effort::Effort;
use super::instructions::Counts;
use super::markdown::{number, table, with_spread};
use super::samples::{Samples, Subject};
use super::svg::{Group, bar_chart};
use super::{machine, profile, targets};
use crate::system::workspace;
use anyhow::Result;
use std::fs;

const DOCUMENT: &str = "docs/performance.md";
const FOLDER: &str = "docs/performance";

pub struct Report<'a> {
    pub effort: &'a Effort,
    pub samples: &'a Samples,
    pub counts: &'a Counts,
}

/// Values of one unit that are shown together.
struct Section {
    name: &'static str,
    title: &'static str,
    text: &'static str,
    /// From what is measured to what is shown.
    convert: fn(f64) -> f64,
    rows: &'static [(&'static str, &'static str)],
}

const SECTIONS: [Section; 5] = [
    Section {
        name: "handshakes",
        title: "Handshakes, µs for client and server together",
        text: "\
From making the objects of both sides to destroying them, with the cookie exchange. Each pair begins when the last has
ended, beside one connection of the same configurations; \"alone\" without that one, so that what connections of ours
share is made anew each time. The client verifies the server, the same each time, whose certificate is self-signed and
the CA certificate it trusts; with \"CA list\" its configuration has the system's CA certificates besides. Resumption
is enabled for \"resumed\" alone; stock cannot resume, and what is shown of it is a full handshake.",
        convert: |nanoseconds| nanoseconds / 1e3,
        rows: &[
            ("handshake/rsa", "RSA 2048"),
            ("handshake/rsa-cas", "RSA 2048, CA list"),
            ("handshake/ecdsa", "ECDSA P-256"),
            ("handshake/ecdsa-cas", "ECDSA P-256, CA list"),
            ("handshake/ecdsa-alone", "ECDSA P-256, alone"),
            ("handshake/psk", "pre-shared key"),
            ("handshake/resumed", "resumed"),
        ],
    },
    Section {
        name: "server",
        title: "Server, handshakes per second of one thread",
        text: "\
ECDSA P-256. Only the server's work counts: cookies, handshakes, making and destroying its connections. The clients are
OpenSSL's for all three; all of them are amid their handshake at the same time, and their datagrams arrive in turns.
Ratios are of the rates: more is better.",
        convert: |nanoseconds| 1e9 / nanoseconds,
        rows: &[("server/1", "1 peer"), ("server/100", "100 peers"), ("server/1000", "1000 peers")],
    },
    Section {
        name: "memory",
        title: "Memory, KiB for each kept server connection",
        text: "\
The growth of the process over 1000 kept connections, after 200 others, divided by 1000. Each has shaken hands (ECDSA
P-256) and answered one message. \"Heap\" is what malloc has handed out, of which a part may never have been written to.",
        convert: |bytes| bytes / 1024.0,
        rows: &[("memory/rss", "resident"), ("memory/heap", "heap")],
    },
    Section {
        name: "data",
        title: "Data, ns for each message",
        text: "\
AES-256-GCM. \"Write\" ends where the datagram is handed to the kernel, \"decrypt\" begins with the datagram in memory.",
        convert: |nanoseconds| nanoseconds,
        rows: &[
            ("write/64", "write, 64 B"),
            ("write/1024", "write, 1 KiB"),
            ("write/8192", "write, 8 KiB"),
            ("decrypt/64", "decrypt, 64 B"),
            ("decrypt/1024", "decrypt, 1 KiB"),
            ("decrypt/8192", "decrypt, 8 KiB"),
        ],
    },
    Section {
        name: "verify",
        title: "verifyClient, ns for each datagram",
        text: "\
The same datagram again and again; answers included. Raw is `DTLSv1_listen(3)` with a cookie of HMAC-SHA-256 over the
peer's address. Junk is 200 bytes that are no record.",
        convert: |nanoseconds| nanoseconds,
        rows: &[
            ("verify/no-cookie", "no cookie"),
            ("verify/wrong-cookie", "wrong cookie"),
            ("verify/right-cookie", "right cookie"),
            ("verify/junk", "junk"),
        ],
    },
];

impl Report<'_> {
    /// Writes the document and what it refers to.
    pub fn write(&self) -> Result<()> {
        let folder = workspace::root().join(FOLDER);
        fs::create_dir_all(&folder)?;
        for section in &SECTIONS {
            fs::write(folder.join(section.name).with_extension("svg"), self.chart(section)?)?;
        }
        let samples = format!("{SAMPLES_HEADER}{}", self.samples.table());
        fs::write(folder.join("samples.tsv"), samples)?;
        fs::write(workspace::root().join(DOCUMENT), self.document()?)?;
        eprintln!("{DOCUMENT} is up to date");
        Ok(())
    }

    fn document(&self) -> Result<String> {
        let machine = machine::describe()?;
        let machine: Vec<_> = machine.into_iter().map(|(name, value)| vec![name.into(), value]).collect();
        let targets = targets::all(self.samples, self.counts)?;
        Ok([
            PREAMBLE.to_owned(),
            format!(
                "{} rounds. Times are of the processor; numbers are medians of the rounds. A ratio is the\nmedian of \
                 the rounds' ratios, with their quartiles in brackets.\n",
                self.effort.rounds
            ),
            table(&["machine", ""], &machine),
            format!("## Targets\n\n{}", targets::show(&targets)),
            self.results()?,
            above_stock(self.counts.show_above_stock()),
            format!("## Where an ECDSA handshake's instructions go\n\n{}", profile::show()?),
        ]
        .join("\n"))
    }

    /// The sections with their tables and charts.
    pub fn results(&self) -> Result<String> {
        let mut text = String::new();
        for section in &SECTIONS {
            let (title, words, name) = (section.title, section.text, section.name);
            text += &format!(
                "## {title}\n\n{words}\n\n![{title}](performance/{name}.svg)\n\n{}\n",
                self.table(section)?
            );
        }
        Ok(text + &self.counts.show())
    }

    fn table(&self, section: &Section) -> Result<String> {
        let mut rows = Vec::new();
        for (name, label) in section.rows {
            let mut row = vec![(*label).to_owned()];
            for subject in Subject::ALL {
                row.push(number(self.samples.spread(name, subject)?.map(section.convert).median));
            }
            for other in [Subject::Stock, Subject::Raw] {
                row.push(with_spread(self.ratio(section, name, other)?));
            }
            rows.push(row);
        }
        Ok(table(&["", "stock", "ours", "raw", "ours / stock", "ours / raw"], &rows))
    }

    /// Ours to another's, in the unit that is shown.
    fn ratio(&self, section: &Section, name: &str, other: Subject) -> Result<super::statistics::Spread> {
        let inverse = (section.convert)(2.0) < (section.convert)(1.0);
        let (above, below) = if inverse { (other, Subject::Ours) } else { (Subject::Ours, other) };
        self.samples.ratio(name, above, below)
    }

    fn chart(&self, section: &Section) -> Result<String> {
        let mut groups = Vec::new();
        for (name, label) in section.rows {
            let mut bars = Vec::new();
            for subject in Subject::ALL {
                bars.push((subject, self.samples.spread(name, subject)?.map(section.convert)));
            }
            groups.push(Group { label: (*label).to_owned(), bars });
        }
        Ok(bar_chart(section.title, &groups))
    }
}

fn above_stock(tables: String) -> String {
    if tables.is_empty() {
        return tables;
    }
    format!("## Where more instructions are spent outside OpenSSL than by stock\n\n{tables}")
}

const SAMPLES_HEADER: &str = "\
# SPDX-License-Identifier: MIT OR Apache-2.0
# What docs/performance.md is made of: name, whose, and a value for each round, in nanoseconds or bytes.
";

const PREAMBLE: &str = "\
<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->
# Performance

Made by `cargo xtask bench`: measured in turns on one machine, in one run,

- *stock*, Qt's plugin with Qt's own DTLS;
- *ours*, the same plugin with this library;
- *raw*, OpenSSL with nothing around it and one `SSL_CTX` for each side: the floor.

The first two are one program, `dtls_bench`, which uses `QDtls` and `QDtlsClientVerifier` as applications do, a `QDtls`
for each connection with a configuration that all of its side share. The third, `raw_bench`, runs the same code on
OpenSSL's functions. DTLS 1.2, one thread, AES-256-GCM and SHA-384, the same cipher suite and number of datagrams for
all, which is checked. Nobody waits for a network: datagrams travel in memory. `QUdpSocket` does all of its work, but
the system call `sendmsg` is replaced by a queue; OpenSSL's retransmission clock stands still. What a process does only
the first time is left out.

Raw numbers of all rounds: [performance/samples.tsv](performance/samples.tsv).
";
