//! Files of stored answers: a line with a digest and the metadata, then the body.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

use motif_sdk::gateway::wire::Digest;
use solana_sha256_hasher::{Hasher, hash};

use super::{Answer, Spool, SpoolError};

/// Creates a folder that only its owner can read.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes an answer's file durably; leaves no file if it fails.
///
/// # Errors
/// Those of the disk.
pub(super) fn write(folder: &Path, path: &Path, head: &[u8], body: &[u8]) -> io::Result<()> {
    let writing = path.with_extension("writing");
    // What is not stored would take up space.
    let remove = |path: &Path| drop(fs::remove_file(path));
    write_file(&writing, head, body)
        .and_then(|()| fs::rename(&writing, path))
        .inspect_err(|_| remove(&writing))?;
    // Makes the rename durable, too.
    File::open(folder).and_then(|folder| folder.sync_all()).inspect_err(|_| remove(path))
}

fn write_file(path: &Path, head: &[u8], body: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(head)?;
    file.write_all(b"\n")?;
    file.write_all(body)?;
    file.sync_all()
}

/// Returns the line of an answer's file, without its end.
pub(super) fn head_of(answer: &Answer) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(answer).map_err(io::Error::other)?;
    let digest = Digest(hash(&json).to_bytes()).to_string();
    Ok([digest.as_bytes(), b" ", &json].concat())
}

/// Reads an answer. Returns it with its file at the body, and the length of its line.
///
/// # Errors
/// [`SpoolError::Damaged`], [`SpoolError::Disk`].
pub(super) fn read(path: &Path) -> Result<(Answer, BufReader<File>, u64), SpoolError> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut head = Vec::new();
    let length = reader.by_ref().take(Spool::HEAD_BYTES * 64).read_until(b'\n', &mut head)?;
    let json = head.strip_suffix(b"\n").and_then(|head| Some(head.split_at_checked(65)?.1));
    let answer: Option<Answer> = json.and_then(|json| serde_json::from_slice(json).ok());
    // The line has one form, of which the digest is a part.
    let answer = answer.filter(|answer| {
        head_of(answer).is_ok_and(|written| Some(&written[..]) == head.strip_suffix(b"\n"))
    });
    Ok((answer.ok_or(SpoolError::Damaged)?, reader, length as u64))
}

/// Opens the body of an answer and verifies its digest. Returns its file and the length of the body.
///
/// # Errors
/// [`SpoolError::Damaged`], [`SpoolError::Disk`].
pub(super) fn open_body(
    path: &Path,
    answer: &Answer,
) -> Result<(BufReader<File>, u64), SpoolError> {
    const CHUNK_BYTES: usize = 64 * 1_024;
    let (stored, mut reader, head) = read(path)?;
    let (mut hasher, mut length) = (Hasher::default(), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = reader.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        hasher.hash(&chunk[..count]);
        length += count as u64;
    }
    if stored != *answer || hasher.result().to_bytes() != answer.output_digest.0 {
        return Err(SpoolError::Damaged);
    }
    reader.seek(SeekFrom::Start(head))?;
    Ok((reader, length))
}

/// Keeps a damaged file under another extension.
pub(super) fn set_aside(path: &Path) {
    let kept = path.with_extension(Spool::DAMAGED);
    match fs::rename(path, &kept) {
        Ok(()) => tracing::error!(file = %kept.display(), "a stored answer was changed on disk"),
        Err(error) => {
            tracing::error!(file = %path.display(), %error, "a damaged answer was not set aside");
        }
    }
}
