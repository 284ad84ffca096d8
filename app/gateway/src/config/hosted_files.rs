use std::path::PathBuf;

/// Hosting of works' metadata and pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostingConfig {
    /// Folder; it is created with the first document.
    pub folder: PathBuf,
    /// Maximum size of all documents and pictures, bytes.
    pub keep_bytes: u64,
}
