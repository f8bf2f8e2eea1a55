// SPDX-License-Identifier: MIT OR Apache-2.0
//! Criterion benchmarks of the core, without Qt and without sockets: `cargo bench`.
//!
//! `cargo xtask bench` compares the whole with Qt's own; this one is for seeing what a change of the core does.

mod pair;

use criterion::{BatchSize, Criterion, Throughput};
use pair::{Contexts, NOW, Pair, peer};
use qdtls_rs::cookie::CookieKey;
use qdtls_rs::hello::{ClientHello, HelloVerifyRequest};
use qdtls_rs::listener;
use qdtls_rs::record::{self, Role};
use qdtls_rs::secret::Secret;
use std::hint::black_box;

/// The ClientHello that a client of ours sends first, and the same with the cookie of `key`.
fn hellos(key: &CookieKey) -> (Vec<u8>, Vec<u8>) {
    let pair = Pair::new(&Contexts::new(), key);
    let first = pair.first_datagram();
    let hello = ClientHello::parse(&first).expect("a client begins with a ClientHello");
    let cookie = key.issue(&peer(), &hello, NOW).expect("a cookie can be made");
    (first.clone(), pair.answer(HelloVerifyRequest::new(&hello, cookie.as_bytes()).as_bytes()))
}

fn parsing(criterion: &mut Criterion) {
    let (first, _) = hellos(&CookieKey::default());
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
            record.is_some_and(|(record, _)| record::admissible_in_handshake(&record, Role::Server, false))
        });
    });
    group.finish();
}

/// A listener with the process's secret and with one of the user's.
fn cookies(criterion: &mut Criterion) {
    let user = Secret::generate(32, |bytes| {
        bytes.fill(7);
        Ok(())
    });
    let user =
        user.and_then(|secret| CookieKey::new(qdtls_rs::openssl::digest::Hash::Sha256, secret.expose()));
    let keys = [("process", CookieKey::default()), ("user", user.expect("a key can be made"))];
    for (name, key) in keys {
        let (first, second) = hellos(&key);
        let mut wrong = second.clone();
        let cookie = ClientHello::parse(&second).expect("it is a ClientHello").cookie;
        let last = cookie.as_ptr() as usize - second.as_ptr() as usize + cookie.len() - 1;
        wrong[last] ^= 1;

        let mut group = criterion.benchmark_group(format!("listener/{name} secret"));
        for (case, datagram, verified) in
            [("no cookie", &first, false), ("wrong cookie", &wrong, false), ("right cookie", &second, true)]
        {
            group.bench_function(case, |bencher| {
                bencher.iter(|| {
                    let result = listener::verify(&key, &peer(), black_box(datagram), &pair::Discard);
                    assert_eq!(result.ok(), Some(verified));
                });
            });
        }
        group.finish();
    }
}

fn handshakes(criterion: &mut Criterion) {
    let (contexts, key) = (Contexts::new(), CookieKey::default());
    criterion.bench_function("handshake of client and server, ECDSA P-256", |bencher| {
        bencher.iter(|| Pair::new(&contexts, &key).connect());
    });
}

fn data(criterion: &mut Criterion) {
    let key = CookieKey::default();
    let pair = Pair::new(&Contexts::new(), &key);
    pair.connect();
    let mut buffer = vec![0; 1 << 14];
    for size in [64, 1024, 8192] {
        let message = vec![b'm'; size];
        let mut group = criterion.benchmark_group(format!("{size} bytes"));
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function("write", |bencher| {
            // What is sent is taken away between the batches.
            bencher.iter_batched(
                || pair.forget_sent(),
                |()| pair.client.write(black_box(&message)).is_ok(),
                BatchSize::SmallInput,
            );
        });
        group.bench_function("read", |bencher| {
            bencher.iter_batched(
                || pair.encrypted(&message),
                |datagram| assert_eq!(pair.decrypt(&datagram, &mut buffer), size),
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
