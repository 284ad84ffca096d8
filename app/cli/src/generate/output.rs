use std::{
    fmt,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use motif_sdk::{gateway::wire::ReceiptParts, receipt::SignedReceipt};
use serde::Serialize;

use crate::{
    amount::{Money, grouped},
    error::CliError,
    output::{json_line, pairs},
};

/// Output of `motif generate`.
#[derive(Serialize)]
pub struct GenerateOutput {
    pub channel: String,
    pub license: u16,
    pub generations: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<u64>,
    pub spent: Money,
    /// Total of the newest voucher.
    pub cumulative: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
}

impl fmt::Display for GenerateOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("channel", &self.channel),
            ("generations", &grouped(u64::from(self.generations))),
            ("spent", &self.spent),
            ("channel total", &self.cumulative),
        ]))?;
        for (position, file) in self.files.iter().flatten().enumerate() {
            let name = if position == 0 { "files" } else { "" };
            write!(formatter, "\n{name:13}  {file}")?;
        }
        Ok(())
    }
}

/// File that receipts are appended to, one line of JSON each.
pub struct ReceiptsFile {
    path: PathBuf,
    file: File,
}

impl ReceiptsFile {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn open(path: &Path) -> Result<Self, CliError> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|error| CliError::unwritable(path, error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Appends a receipt.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn append(&mut self, receipt: &SignedReceipt) -> Result<(), CliError> {
        let line = json_line(&ReceiptParts::from(receipt));
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|error| CliError::unwritable(&self.path, error))
    }
}
