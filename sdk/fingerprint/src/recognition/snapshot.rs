//! File format of index entries, so that a restarted gateway can answer before it has read the
//! chain.
//!
//! Bytes: `motif-recognition`, a zero, version (u32), cluster tag (32), number of works (u64),
//! works (106 each: address, registered at, content digest, scheme, bits), and the SHA-256 of
//! everything before. Integers are little-endian.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};

use motif_interface::licensing::Fingerprint;
use sha2::{Digest, Sha256};
use solana_pubkey::Pubkey;

use super::Registered;

const MAGIC: &[u8; 18] = b"motif-recognition\0";
const VERSION: u32 = 1;
const ENTRY_BYTES: usize = 32 + 8 + 32 + 2 + 32;

/// Errors of reading a snapshot. Without one, read the works from the chain.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Error returned when the file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Error returned when the file has another version or is no snapshot.
    #[error("the file is not a snapshot of this version")]
    OtherVersion,
    /// Error returned when the snapshot is for another cluster.
    #[error("the snapshot is for another cluster")]
    OtherCluster,
    /// Error returned when the file is truncated or changed.
    #[error("the snapshot is truncated or changed")]
    Broken,
}

/// Creates a file for its own user only.
fn private_file(path: &OsStr) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a snapshot to `path` atomically.
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, cluster: &[u8; 32], entries: &[Registered]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let mut file = Hashing { to: BufWriter::new(private_file(&name)?), digest: Sha256::new() };
    file.write_all(MAGIC)?;
    file.write_all(&VERSION.to_le_bytes())?;
    file.write_all(cluster)?;
    file.write_all(&(entries.len() as u64).to_le_bytes())?;
    for entry in entries {
        file.write_all(entry.work.as_ref())?;
        file.write_all(&entry.registered_at.to_le_bytes())?;
        file.write_all(&entry.content_digest)?;
        file.write_all(&entry.fingerprint.scheme.to_le_bytes())?;
        file.write_all(&entry.fingerprint.bits)?;
    }
    let Hashing { mut to, digest } = file;
    to.write_all(&digest.finalize())?;
    to.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(name, path)
}

/// Reads a snapshot of a cluster.
///
/// # Errors
/// [`SnapshotError`].
pub fn read(path: &Path, cluster: &[u8; 32]) -> Result<Vec<Registered>, SnapshotError> {
    let mut bytes = Vec::new();
    BufReader::new(File::open(path)?).read_to_end(&mut bytes)?;
    let (content, digest) = bytes.split_last_chunk::<32>().ok_or(SnapshotError::Broken)?;
    let rest = content.strip_prefix(MAGIC).ok_or(SnapshotError::OtherVersion)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(SnapshotError::Broken)?;
    if u32::from_le_bytes(*version) != VERSION {
        return Err(SnapshotError::OtherVersion);
    }
    if <[u8; 32]>::from(Sha256::digest(content)) != *digest {
        return Err(SnapshotError::Broken);
    }
    let (tag, rest) = rest.split_first_chunk::<32>().ok_or(SnapshotError::Broken)?;
    if tag != cluster {
        return Err(SnapshotError::OtherCluster);
    }
    let (count, rest) = rest.split_first_chunk::<8>().ok_or(SnapshotError::Broken)?;
    let (entries, tail) = rest.as_chunks::<ENTRY_BYTES>();
    if entries.len() as u64 != u64::from_le_bytes(*count) || !tail.is_empty() {
        return Err(SnapshotError::Broken);
    }
    entries.iter().map(|entry| entry_of(entry).ok_or(SnapshotError::Broken)).collect()
}

fn entry_of(entry: &[u8; ENTRY_BYTES]) -> Option<Registered> {
    let (work, rest) = entry.split_first_chunk::<32>()?;
    let (registered_at, rest) = rest.split_first_chunk::<8>()?;
    let (content_digest, rest) = rest.split_first_chunk::<32>()?;
    let (scheme, bits) = rest.split_first_chunk::<2>()?;
    Some(Registered {
        work: Pubkey::new_from_array(*work),
        registered_at: i64::from_le_bytes(*registered_at),
        content_digest: *content_digest,
        fingerprint: Fingerprint {
            scheme: u16::from_le_bytes(*scheme),
            bits: bits.try_into().ok()?,
        },
    })
}

/// Writer that hashes its input.
struct Hashing<W> {
    to: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seed: u8) -> Registered {
        Registered {
            work: Pubkey::new_from_array([seed; 32]),
            registered_at: i64::from(seed),
            content_digest: [seed + 1; 32],
            fingerprint: Fingerprint { scheme: u16::from(seed), bits: [seed + 2; 32] },
        }
    }

    #[test]
    fn changed_snapshot_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("works");
        let (entries, cluster) = ([entry(1), entry(2)], [9; 32]);
        write(&path, &cluster, &entries).unwrap();
        assert_eq!(read(&path, &cluster).unwrap(), entries);
        assert!(matches!(read(&path, &[8; 32]), Err(SnapshotError::OtherCluster)));

        let good = fs::read(&path).unwrap();
        for place in [0, 20, 60, 90, good.len() - 1] {
            let mut bad = good.clone();
            bad[place] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(read(&path, &cluster).is_err(), "byte {place}");
        }
        fs::write(&path, &good[..good.len() - 1]).unwrap();
        assert!(read(&path, &cluster).is_err());
        fs::remove_file(&path).unwrap();
        assert!(matches!(read(&path, &cluster), Err(SnapshotError::Io(_))));
    }
}
