// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is measured: a network and a certificate for each row.

use super::conditions::Conditions;
use derive_more::Display;
use itertools::Itertools;
use std::time::Duration;

#[derive(Clone, Copy, Debug, Display, PartialEq)]
pub enum Network {
    /// In percent, each way.
    #[display("loss {_0} %")]
    Loss(u32),
    #[display("hole above {_0} bytes, MTU hint 1500")]
    Hole(usize),
    #[display("round trip 3.4 s")]
    LongWay,
    #[display("jitter up to 200 ms")]
    Jitter,
    #[display("duplication 10 %")]
    Duplication,
}

#[derive(Clone, Copy, Debug, Display, PartialEq)]
pub enum Certificate {
    #[display("ECDSA")]
    Ecdsa,
    #[display("RSA chain")]
    Chain,
}

#[derive(Clone, Copy, Debug, Display, PartialEq)]
#[display("{network}, {certificate}")]
pub struct Row {
    pub network: Network,
    pub certificate: Certificate,
}

impl Certificate {
    const ALL: [Self; 2] = [Self::Ecdsa, Self::Chain];

    /// Of its files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ecdsa => "ecdsa",
            Self::Chain => "chain",
        }
    }
}

impl Row {
    pub fn conditions(self) -> Conditions {
        let perfect = Conditions::default();
        match self.network {
            Network::Loss(percent) => Conditions { loss: f64::from(percent) / 100.0, ..perfect },
            Network::Hole(largest) => Conditions { hole: Some(largest), ..perfect },
            Network::LongWay => Conditions { delay: Duration::from_millis(1700), ..perfect },
            Network::Jitter => Conditions { jitter: Duration::from_millis(200), ..perfect },
            Network::Duplication => Conditions { duplication: 0.1, ..perfect },
        }
    }

    /// 0 leaves it as `QDtls` has it.
    pub fn mtu_hint(self) -> u32 {
        if matches!(self.network, Network::Hole(_)) { 1500 } else { 0 }
    }

    /// For one handshake.
    pub fn limit(self) -> Duration {
        Duration::from_secs(if matches!(self.network, Network::Hole(_)) { 15 } else { 60 })
    }
}

/// All rows.
pub fn all() -> Vec<Row> {
    let levels = [0, 5, 10, 20, 30].map(Network::Loss);
    let others =
        [Network::Hole(600), Network::Hole(1280), Network::LongWay, Network::Jitter, Network::Duplication];
    with_both_certificates(&[&levels[..], &others].concat())
}

/// Enough to see that everything works.
pub fn quick() -> Vec<Row> {
    with_both_certificates(&[0, 20].map(Network::Loss))
}

fn with_both_certificates(networks: &[Network]) -> Vec<Row> {
    let pairs = Certificate::ALL.into_iter().cartesian_product(networks);
    pairs.map(|(certificate, network)| Row { network: *network, certificate }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_and_limits_of_their_own() {
        let rows = all();
        assert_eq!(rows.len(), 20);
        assert!(rows.iter().map(ToString::to_string).all_unique());
        assert!(quick().iter().all(|row| rows.contains(row)));
        let hole = Row { network: Network::Hole(600), certificate: Certificate::Chain };
        assert_eq!(hole.to_string(), "hole above 600 bytes, MTU hint 1500, RSA chain");
        assert_eq!((hole.mtu_hint(), hole.limit().as_secs()), (1500, 15));
    }
}
