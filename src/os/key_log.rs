// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file of the key log.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::sync::Mutex;
use zeroize::Zeroizing;

/// Room for a line of DTLS 1.2: `CLIENT_RANDOM`, 32 and 48 bytes in hexadecimal digits, and what is between.
const LONGEST: usize = 256;

/// A file to which lines are appended, also by other processes.
pub struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens a file that the environment names, or creates it for its owner alone. Not with the rights of another user: the
    /// environment is not that user's.
    pub fn open(name: &OsStr) -> Result<Self> {
        if super::platform::has_other_rights() {
            let text = "not used by a program that runs with the rights of another user";
            return Err(Error::new(ErrorKind::PermissionDenied, text));
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(name).map(|file| Self(Mutex::new(file)))
    }

    /// Appends a line in one write, so that those of several processes do not mix.
    pub fn append(&self, line: &[u8]) {
        let mut text = Zeroizing::new([0; LONGEST]);
        let Some(place) = text.get_mut(..=line.len()) else { return };
        if let [start @ .., end] = place {
            start.copy_from_slice(line);
            *end = b'\n';
        }
        let Ok(mut file) = self.0.lock() else { return };
        // A full disk does not concern the connection.
        let _ = file.write_all(place);
    }
}
