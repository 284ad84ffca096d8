//! Text of PDF documents.

use lopdf::{DecompressError, Document, Error, LoadOptions};

use super::DocumentError;
use crate::{charset::is_control, text::MAX_TEXT_BYTES};

/// Maximum size of an object stream after decompression.
const MAX_STREAM_BYTES: usize = 32 * 1_024 * 1_024;
/// Maximum size of the content of a page, or of a font's table, after decompression. A parsed page takes up to
/// fifty times as much memory.
const MAX_PAGE_BYTES: usize = 4 * 1_024 * 1_024;
const MAX_PAGES: usize = 5_000;

/// Returns the text of the first 5,000 pages. Pages that cannot be read are left out.
pub fn text(bytes: &[u8]) -> Result<String, DocumentError> {
    let options =
        LoadOptions { max_decompressed_size: Some(MAX_STREAM_BYTES), ..LoadOptions::default() };
    let document =
        Document::load_mem_with_options(bytes, options).map_err(|error| match error {
            Error::InvalidPassword => DocumentError::Encrypted,
            Error::Decompress(DecompressError::MemoryLimitExceeded { .. }) => {
                DocumentError::TooLarge
            }
            error => DocumentError::unreadable(error),
        })?;
    let mut text = String::new();
    for page in document.get_pages().into_keys().take(MAX_PAGES) {
        for chunk in document.extract_text_chunks_with_limit(&[page], MAX_PAGE_BYTES) {
            text.push_str(&chunk.unwrap_or_default());
        }
        if text.len() > MAX_TEXT_BYTES {
            return Err(DocumentError::TooLarge);
        }
    }
    Ok(text.replace(is_control, " "))
}

#[cfg(test)]
mod tests {
    use lopdf::{Object, Stream, dictionary};

    use super::*;

    /// Returns a document with a page for each content.
    fn document(pages: &[Stream]) -> Document {
        let mut document = Document::with_version("1.5");
        let tree = document.new_object_id();
        let font = document.add_object(dictionary! {
            "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica",
            "Encoding" => "WinAnsiEncoding",
        });
        let mut kids = Vec::new();
        for content in pages {
            let content = document.add_object(content.clone());
            let page = document.add_object(dictionary! {
                "Type" => "Page", "Parent" => tree, "Contents" => content,
                "Resources" => dictionary! { "Font" => dictionary! { "F1" => font } },
            });
            kids.push(Object::from(page));
        }
        let count = kids.len() as i64;
        let pages = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count };
        document.objects.insert(tree, pages.into());
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
        document.trailer.set("Root", catalog);
        document
    }

    fn saved(mut document: Document) -> Vec<u8> {
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        bytes
    }

    fn page(words: &str) -> Stream {
        let content = format!("BT /F1 12 Tf 50 700 Td ({words}) Tj ET");
        Stream::new(dictionary! {}, content.into_bytes())
    }

    #[test]
    fn pages_are_read_in_order() {
        let bytes = saved(document(&[page("It was a bright"), page("cold day in April")]));
        let words = text(&bytes).unwrap();
        let words: Vec<_> = words.split_whitespace().collect();
        assert_eq!(words.join(" "), "It was a bright cold day in April");
    }

    #[test]
    fn page_that_inflates_is_left_out() {
        let mut bomb = Stream::new(dictionary! {}, vec![b' '; MAX_PAGE_BYTES + 1]);
        bomb.compress().unwrap();
        let bytes = saved(document(&[bomb, page("a cold day")]));
        assert!(bytes.len() < 100_000);
        assert_eq!(text(&bytes).unwrap().trim(), "a cold day");
    }

    #[test]
    fn damaged_document_is_rejected() {
        let bytes = saved(document(&[page("a cold day")]));
        for cut in [9, 20] {
            assert!(matches!(text(&bytes[..cut]), Err(DocumentError::Unreadable(_))), "{cut}");
        }
    }
}
