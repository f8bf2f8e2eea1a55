// SPDX-License-Identifier: MIT OR Apache-2.0
//! Damage to datagrams. Input that has ended reads as zeroes.

use arbitrary::Unstructured;

pub fn byte(input: &mut Unstructured<'_>) -> u8 {
    input.arbitrary().unwrap_or(0)
}

/// A number below `limit`, 0 if that is 0.
pub fn below(input: &mut Unstructured<'_>, limit: usize) -> usize {
    let number = usize::from(u16::from_be_bytes([byte(input), byte(input)]));
    number.checked_rem(limit).unwrap_or(0)
}

/// The next bytes, at most 255 and as many as there are.
pub fn bytes<'a>(input: &mut Unstructured<'a>) -> &'a [u8] {
    let length = usize::from(byte(input)).min(input.len());
    input.bytes(length).unwrap_or(&[])
}

/// All that is left.
pub fn rest<'a>(input: &mut Unstructured<'a>) -> &'a [u8] {
    input.bytes(input.len()).unwrap_or(&[])
}

/// Changes a datagram in one to four places.
pub fn mutate(input: &mut Unstructured<'_>, datagram: &mut Vec<u8>) {
    for _ in 0..=byte(input) % 4 {
        let place = below(input, datagram.len() + 1);
        match byte(input) % 6 {
            0 => datagram.truncate(place),
            1 => datagram.insert(place, byte(input)),
            2 => drop(datagram.splice(place..place, bytes(input).iter().copied())),
            3 => drop(
                datagram.drain(place..(place + 1 + usize::from(byte(input))).min(datagram.len().max(place))),
            ),
            4 => set(datagram, place, |_| byte(input)),
            _ => set(datagram, place, |value| value ^ (1 << (byte(input) % 8))),
        }
    }
}

fn set(datagram: &mut [u8], place: usize, value: impl FnOnce(u8) -> u8) {
    if let Some(byte) = datagram.get_mut(place) {
        *byte = value(*byte);
    }
}
