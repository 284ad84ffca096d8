//! Files of outputs: their names, and writing them as a whole.

use std::{io, path::Path};

use motif_sdk::durable_file::replace;

/// Writes a file as a whole or not at all, and syncs it. Its permissions are those of other new files.
///
/// # Errors
/// An I/O error.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, 0o666).map(drop)
}

/// Media types of outputs, with the extensions of their files.
const MEDIA_TYPES: [(&str, &str); 10] = [
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
    ("audio/wav", "wav"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("video/mp4", "mp4"),
    ("application/json", "json"),
    ("text/plain", "txt"),
];

/// Returns the file extension of a media type.
pub fn extension(media_type: &str) -> &'static str {
    let name = media_type.split(';').next().unwrap_or_default().trim();
    let name = if name == "audio/x-wav" { "audio/wav" } else { name };
    MEDIA_TYPES.iter().find(|(known, _)| *known == name).map_or("bin", |(_, extension)| extension)
}

/// Returns the media type of a file by its extension.
pub fn media_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let known = MEDIA_TYPES.iter().find(|(_, known)| extension == Some(*known));
    known.map_or("application/octet-stream", |(media_type, _)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_name_media_types() {
        for (media_type, name) in MEDIA_TYPES {
            assert_eq!(extension(media_type), name);
            assert_eq!(
                super::media_type(Path::new("a").with_extension(name).as_path()),
                media_type
            );
        }
        assert_eq!(extension("text/plain; charset=utf-8"), "txt");
        assert_eq!((extension("audio/x-wav"), extension("a/b")), ("wav", "bin"));
    }
}
