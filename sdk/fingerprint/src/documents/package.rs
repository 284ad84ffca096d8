//! Documents in ZIP packages.

use std::{
    collections::{HashMap, HashSet},
    io::{Cursor, Read},
};

use zip::{ZipArchive, result::ZipError};

use super::{DocumentError, MAX_UNPACKED_BYTES};
use crate::{
    charset::decode,
    markup::{Markup, attributes, text},
};

/// Package whose parts are unpacked within a limit.
struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    bytes_left: u64,
}

/// Returns the text of a DOCX: of its main part, without headers, footers and notes.
pub fn docx(bytes: &[u8]) -> Result<String, DocumentError> {
    Ok(text(&Package::new(bytes)?.part("word/document.xml")?, Markup::Word))
}

/// Returns the text of an OpenDocument text.
pub fn odt(bytes: &[u8]) -> Result<String, DocumentError> {
    let mut package = Package::new(bytes)?;
    let manifest = package.part("META-INF/manifest.xml").unwrap_or_default();
    if !attributes(&manifest, b"algorithm", [b"manifest:algorithm-name"]).is_empty() {
        return Err(DocumentError::Encrypted);
    }
    Ok(text(&package.part("content.xml")?, Markup::OpenDocument))
}

/// Returns the text of an EPUB: of its chapters, in their order.
pub fn epub(bytes: &[u8]) -> Result<String, DocumentError> {
    let missing = |what: &str| DocumentError::Unreadable(format!("it has no {what}"));
    let mut package = Package::new(bytes)?;
    let container = package.part("META-INF/container.xml")?;
    let root = attributes(&container, b"rootfile", [b"full-path"]).into_iter().next();
    let [root] = root.ok_or_else(|| missing("package document"))?;
    let document = package.part(&root)?;
    let items = attributes(&document, b"item", [b"id", b"href"]);
    let items: HashMap<_, _> = items.into_iter().map(|[id, href]| (id, href)).collect();
    let encryption = package.part("META-INF/encryption.xml").unwrap_or_default();
    let encrypted = attributes(&encryption, b"cipherreference", [b"uri"]);
    let encrypted: HashSet<_> = encrypted.into_iter().map(|[path]| path).collect();
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut book = String::new();
    for [chapter] in attributes(&document, b"itemref", [b"idref"]) {
        let Some(href) = items.get(&chapter) else { continue };
        let path = resolved(folder, href);
        if encrypted.contains(&path) {
            return Err(DocumentError::Encrypted);
        }
        book.push_str(&text(&package.part(&path)?, Markup::Xhtml));
        book.push('\n');
    }
    Ok(book)
}

impl<'a> Package<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, DocumentError> {
        Self::within(bytes, MAX_UNPACKED_BYTES)
    }

    /// Opens a package whose parts have at most `bytes_left` bytes together.
    fn within(bytes: &'a [u8], bytes_left: u64) -> Result<Self, DocumentError> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(DocumentError::unreadable)?;
        Ok(Self { archive, bytes_left })
    }

    /// Returns a part as text.
    fn part(&mut self, name: &str) -> Result<String, DocumentError> {
        let part = self.archive.by_name(name).map_err(|error| match error {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => DocumentError::Encrypted,
            ZipError::FileNotFound => DocumentError::Unreadable(format!("it has no part {name}")),
            error => DocumentError::unreadable(error),
        })?;
        let mut bytes = Vec::new();
        let read = part.take(self.bytes_left + 1).read_to_end(&mut bytes);
        let read = read.map_err(DocumentError::unreadable)? as u64;
        self.bytes_left = self.bytes_left.checked_sub(read).ok_or(DocumentError::TooLarge)?;
        let text = decode(&bytes).map(std::borrow::Cow::into_owned);
        text.ok_or_else(|| DocumentError::Unreadable(format!("part {name} is no text")))
    }
}

/// Returns the path of a reference in a package document.
fn resolved(folder: &str, href: &str) -> String {
    let href = href.split('#').next().unwrap_or_default();
    let href = percent_encoding::percent_decode_str(href).decode_utf8_lossy();
    let mut path: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    pub fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    const CONTAINER: &[u8] =
        b"<container><rootfiles><rootfile full-path='OEBPS/book.opf'/></rootfiles></container>";
    const BOOK: &[u8] = b"<package><metadata><dc:title>T</dc:title></metadata><manifest>\
        <item id='two' href='text/2%20b.xhtml'/><item id='one' href='1.xhtml'/><item id='css' href='a.css'/>\
        </manifest><spine><itemref idref='one'/><itemref idref='two'/><itemref idref='none'/></spine></package>";

    fn book(more: &[(&str, &[u8])]) -> Vec<u8> {
        let mut parts: Vec<(&str, &[u8])> = vec![
            ("mimetype", b"application/epub+zip"),
            ("META-INF/container.xml", CONTAINER),
            ("OEBPS/book.opf", BOOK),
            (
                "OEBPS/text/2 b.xhtml",
                b"<html><head><title>T</title></head><body><p>Two</p></body></html>",
            ),
            ("OEBPS/1.xhtml", b"<html><body><p>One</p></body></html>"),
        ];
        parts.extend(more);
        packed(&parts)
    }

    #[test]
    fn chapters_are_read_in_order() {
        assert_eq!(epub(&book(&[])).unwrap(), "One\nTwo\n");
    }

    #[test]
    fn encrypted_chapter_is_reported() {
        let encryption = b"<enc:CipherReference URI='OEBPS/1.xhtml'/>";
        let book = book(&[("META-INF/encryption.xml", encryption)]);
        assert_eq!(epub(&book), Err(DocumentError::Encrypted));
    }

    #[test]
    fn word_and_open_documents_are_read() {
        let word = packed(&[("word/document.xml", b"<w:p><w:t>One</w:t></w:p>")]);
        assert_eq!(docx(&word).unwrap(), "One");
        let content = b"<office:body><text:p>One</text:p></office:body>";
        assert_eq!(odt(&packed(&[("content.xml", content)])).unwrap(), "One");
        let manifest = b"<manifest:algorithm manifest:algorithm-name='Blowfish CFB'/>";
        let locked = packed(&[("META-INF/manifest.xml", manifest), ("content.xml", content)]);
        assert_eq!(odt(&locked), Err(DocumentError::Encrypted));
    }

    #[test]
    fn decompression_bomb_is_rejected() {
        let spaces = vec![b' '; 1 << 20];
        let bomb = packed(&[("one", &spaces), ("two", b" ")]);
        assert!(bomb.len() < 1 << 14);
        let mut exact = Package::within(&bomb, 1 << 20).unwrap();
        assert_eq!(exact.part("one").unwrap().len(), 1 << 20);
        assert_eq!(exact.part("two"), Err(DocumentError::TooLarge));
        let mut less = Package::within(&bomb, (1 << 20) - 1).unwrap();
        assert_eq!(less.part("one"), Err(DocumentError::TooLarge));
    }

    #[test]
    fn incomplete_package_is_rejected() {
        let word = packed(&[("word/document.xml", b"<w:t>One</w:t>")]);
        assert!(matches!(docx(&word[..word.len() - 30]), Err(DocumentError::Unreadable(_))));
        assert!(matches!(docx(&packed(&[])), Err(DocumentError::Unreadable(_))));
        assert!(matches!(epub(&word), Err(DocumentError::Unreadable(_))));
    }

    #[test]
    fn references_stay_within_the_package() {
        for (folder, href, expected) in [
            ("OEBPS", "../../a.html", "a.html"),
            ("", "./b/c.html#d", "b/c.html"),
            ("x/y", "z", "x/y/z"),
        ] {
            assert_eq!(resolved(folder, href), expected);
        }
    }
}
