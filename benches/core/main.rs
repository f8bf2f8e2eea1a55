// SPDX-License-Identifier: MIT OR Apache-2.0
//! Criterion benchmarks of the core, without Qt and without sockets: `cargo bench`.
//!
//! `cargo xtask bench` compares the whole with Qt's own; this one shows the effect of a change of the core.

#[allow(dead_code, reason = "the fuzz targets use the rest")]
#[path = "../../tests/support/pair.rs"]
mod pair;

use criterion::{BatchSize, Criterion, Throughput};
use pair::{Contexts, Credentials, Outcome, Pair, cookie_in};
use qdtls_rs as library;
use qdtls_rs::error::Status;
use qdtls_rs::ffi::{SettingName, qdtls_cookie_free, qdtls_cookie_new, qdtls_cookie_set_parameters};
use qdtls_rs::ffi::{qdtls_listener_set_cookie, qdtls_setting_set};
use qdtls_rs::openssl::hmac::Hash;
use qdtls_rs::role::Role;
use qdtls_rs::wire::admission::Admission;
use qdtls_rs::wire::hello::ClientHello;
use qdtls_rs::wire::record;
use std::hint::black_box;
use std::ptr;

fn parsing(criterion: &mut Criterion) {
    let (first, _) = Pair::new(Credentials::Psk).hellos();
    let mut group = criterion.benchmark_group("parse");
    group.bench_function("ClientHello", |bencher| {
        bencher.iter(|| ClientHello::parse(black_box(&first)).is_some());
    });
    group.bench_function("junk", |bencher| {
        bencher.iter(|| ClientHello::parse(black_box(&[b'x'; 200])).is_some());
    });
    group.bench_function("record of a handshake", |bencher| {
        bencher.iter(|| {
            let record = record::split_record(black_box(&first));
            record.is_some_and(|(record, _)| {
                Admission::new(Role::Server, 102_400).check(&record, false).is_ok()
            })
        });
    });
    group.finish();
}

/// Gives the listener a secret of the user's.
fn set_secret(pair: &Pair) {
    let secret = [7; 32];
    let mut cookie = ptr::null_mut();
    // SAFETY: the handles are live; the listener copies the cookie's parameters.
    let results = unsafe {
        let hash = Hash::Sha256 as i32;
        let results = [
            qdtls_cookie_new(&mut cookie),
            qdtls_cookie_set_parameters(cookie, hash, secret.as_ptr(), secret.len()),
            qdtls_listener_set_cookie(pair.listener, cookie),
        ];
        qdtls_cookie_free(cookie);
        results
    };
    assert_eq!(results, [Status::Ok; 3]);
}

/// A listener with the process's secret and with one of the user's.
fn cookies(criterion: &mut Criterion) {
    // No cookie expires while it is measured.
    assert_eq!(qdtls_setting_set(SettingName::CookieLifetimeS as i32, 3600), Status::Ok);
    for secret in ["process", "user"] {
        let pair = Pair::new(Credentials::Psk);
        if secret == "user" {
            set_secret(&pair);
        }
        let (first, second) = pair.hellos();
        let mut wrong = second.clone();
        wrong[cookie_in(&second).end - 1] ^= 1;

        let mut group = criterion.benchmark_group(format!("listener/{secret} secret"));
        for (case, datagram, verified) in
            [("no cookie", &first, false), ("wrong cookie", &wrong, false), ("right cookie", &second, true)]
        {
            group.bench_function(case, |bencher| {
                bencher.iter(|| {
                    assert_eq!(pair.verify(black_box(datagram)), Ok(verified));
                    pair.drop_sent();
                });
            });
        }
        group.finish();
    }
}

fn handshakes(criterion: &mut Criterion) {
    for (name, credentials) in
        [("ECDSA P-256", Credentials::Certificate), ("pre-shared key", Credentials::Psk)]
    {
        let contexts = Contexts::new(credentials);
        criterion.bench_function(&format!("handshake of client and server, {name}"), |bencher| {
            bencher.iter(|| assert_eq!(Pair::of(&contexts).connect(), Outcome::Connected));
        });
    }
}

fn data(criterion: &mut Criterion) {
    let pair = Pair::new(Credentials::Certificate);
    assert_eq!(pair.connect(), Outcome::Connected);
    let mut buffer = vec![0; 1 << 14];
    for size in [64, 1024, 8192] {
        let message = vec![b'm'; size];
        let encrypted = || {
            assert_eq!(pair.client.write(&message), Status::Ok);
            pair.client.take().expect("a datagram")
        };
        assert_eq!(pair.server.read(&encrypted()).as_ref(), Ok(&message));

        let mut group = criterion.benchmark_group(format!("{size} bytes"));
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function("write", |bencher| {
            bencher.iter(|| {
                assert_eq!(pair.client.write(black_box(&message)), Status::Ok);
                pair.drop_sent();
            });
        });
        group.bench_function("read", |bencher| {
            bencher.iter_batched(
                encrypted,
                |datagram| assert_eq!(pair.server.read_into(&datagram, &mut buffer), Ok(size)),
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    parsing(&mut criterion);
    cookies(&mut criterion);
    handshakes(&mut criterion);
    data(&mut criterion);
    criterion.final_summary();
}
