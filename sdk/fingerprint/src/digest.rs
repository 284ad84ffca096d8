use std::{
    fmt::Write,
    io::{self, ErrorKind, Read},
};

use sha2::{Digest, Sha256};

const BUFFER_BYTES: usize = 256 * 1_024;

/// Returns the SHA-256 of content, by which a work is registered and found.
pub fn content_digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

/// Returns the SHA-256 of content of any length, in one pass and in bounded memory.
///
/// # Errors
/// Those of the reader.
pub fn read_digest(mut content: impl Read) -> io::Result<[u8; 32]> {
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; BUFFER_BYTES]);
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(digest.finalize().into()),
            Ok(length) => digest.update(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns the digest of a set of files with their names, such as the shards of a model: the SHA-256 of
/// what `sha256sum` prints for them in the byte order of their names.
pub fn set_digest(mut files: Vec<(String, [u8; 32])>) -> [u8; 32] {
    files.sort();
    let mut manifest = String::new();
    for (name, digest) in files {
        for byte in digest {
            // Writing to a string does not fail.
            let _ = write!(manifest, "{byte:02x}");
        }
        let _ = writeln!(manifest, "  {name}");
    }
    content_digest(manifest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streamed_digest_is_that_of_the_bytes() {
        for length in [0, 1, BUFFER_BYTES - 1, BUFFER_BYTES, 3 * BUFFER_BYTES + 7] {
            let content: Vec<_> = (0..length).map(|at| (at % 251) as u8).collect();
            assert_eq!(read_digest(&content[..]).unwrap(), content_digest(&content));
        }
    }

    #[test]
    fn set_digest_is_that_of_sha256sum() {
        let files = [("b/1", "beta"), ("a.bin", "alpha"), ("B", "gamma")];
        let files = files.map(|(name, text)| (name.to_owned(), content_digest(text.as_bytes())));
        // `printf %s alpha > a.bin` and so on, then `sha256sum B a.bin b/1 | sha256sum`.
        let mut expected = [0; 32];
        for (at, byte) in expected.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&EXPECTED[2 * at..2 * at + 2], 16).unwrap();
        }
        assert_eq!(set_digest(files.to_vec()), expected);
    }

    const EXPECTED: &str = "bb113a42ef07e05a9d051ff0d69a27389d67621c81a5526806337bbb5ee93d11";
}
