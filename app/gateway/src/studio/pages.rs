use include_dir::{Dir, include_dir};

/// Built files of `app/studio`.
static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../studio/dist");
const INDEX: &str = "index.html";
/// Folder of files whose names have a digest of their content.
const HASHED: &str = "assets/";

/// File of the studio.
pub struct Page {
    /// Content.
    pub bytes: &'static [u8],
    /// Content as brotli.
    pub brotli: Option<&'static [u8]>,
    /// Media type.
    pub kind: &'static str,
    /// Whether another content has another name.
    pub is_hashed: bool,
}

/// Returns the page that all paths without a file show.
pub fn index() -> Option<&'static str> {
    FILES.get_file(INDEX)?.contents_utf8()
}

/// Returns the file at a path below `/studio/`; `None` if there is none.
pub fn page(path: &str) -> Option<Page> {
    let kind = kind(path)?;
    let bytes = FILES.get_file(path)?.contents();
    let brotli = FILES.get_file(format!("{path}.br")).map(|file| file.contents());
    Some(Page { bytes, brotli, kind, is_hashed: path.starts_with(HASHED) })
}

/// Returns the media type of a file by the end of its name; `None` for files that are not served.
fn kind(path: &str) -> Option<&'static str> {
    let (_, end) = path.rsplit_once('.')?;
    Some(match end {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_embedded() {
        assert!(index().is_some_and(|page| page.contains("<!--head-->")));
        assert!(page("index.html").is_some());
        for missing in ["missing.js", "../Cargo.toml", "index.html.br", "", "/index.html"] {
            assert!(page(missing).is_none(), "{missing}");
        }
    }
}
