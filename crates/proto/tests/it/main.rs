//! The crate through its public door.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests, too

mod allocation;
mod fixed_bytes;
mod hostile;
mod openldap;
mod round_trip;
mod schema;
mod session;
mod values;

/// Bytes from pairs of hexadecimal digits.
fn hex(text: &str) -> bytes::Bytes {
    let digit = |octet: u8| {
        char::from(octet).to_digit(16).unwrap_or_else(|| panic!("{text} is not hexadecimal")) as u8
    };
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    assert!(digits.len().is_multiple_of(2), "{text} has half an octet");
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
