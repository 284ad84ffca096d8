use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use motif_sdk::{gateway::wire::ReceiptParts, receipt::SignedReceipt};

use crate::{
    credentials::OutputSigner, error::CliError, files::write_atomically, output::json_line,
    palette::Palette,
};

/// Receipts and outputs of paid generations, in files.
pub struct Kept {
    receipts: Option<ReceiptsFile>,
    folder: Option<PathBuf>,
    signer: Option<OutputSigner>,
}

impl Kept {
    /// Opens the file of receipts and the folder of outputs, or creates them.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn open(
        receipts: Option<&Path>,
        folder: Option<&Path>,
        signer: Option<OutputSigner>,
    ) -> Result<Self, CliError> {
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(|error| CliError::unwritable(folder, error))?;
        }
        let receipts = receipts.map(ReceiptsFile::open).transpose()?;
        Ok(Self { receipts, folder: folder.map(Path::to_owned), signer })
    }

    /// Stores the receipt of a generation and its output.
    ///
    /// # Errors
    /// [`CliError::Unwritable`], and those of the signer.
    pub fn add(&mut self, receipt: &SignedReceipt, output: &[u8]) -> Result<(), CliError> {
        if let Some(file) = &mut self.receipts {
            file.append(receipt)?;
        }
        self.write(receipt, output)
    }

    /// Stores the receipt and the output of an earlier run, unless they are stored.
    ///
    /// # Errors
    /// As [`Kept::add`].
    pub fn add_again(&mut self, receipt: &SignedReceipt) -> Result<(), CliError> {
        if let Some(file) = &mut self.receipts {
            file.append(receipt)?;
        }
        match self.path(receipt) {
            Some(path) if !path.exists() => {
                self.write(receipt, &Palette::PLAIN.render(&receipt.receipt.request_digest))
            }
            _ => Ok(()),
        }
    }

    /// Makes the receipts durable.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn sync(&self) -> Result<(), CliError> {
        self.receipts.as_ref().map_or(Ok(()), ReceiptsFile::sync)
    }

    fn write(&self, receipt: &SignedReceipt, output: &[u8]) -> Result<(), CliError> {
        let Some(path) = self.path(receipt) else { return Ok(()) };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let signer = self.signer.as_ref();
        let signed = signer.map(|signer| signer.sign(output, &name, receipt)).transpose()?;
        let written = write_atomically(&path, signed.as_deref().unwrap_or(output));
        written.map_err(|error| CliError::unwritable(&path, error))
    }

    /// Returns the path of an output; `None` if outputs are not kept.
    fn path(&self, receipt: &SignedReceipt) -> Option<PathBuf> {
        let name = hex::encode(&receipt.receipt.output_digest[..8]);
        Some(self.folder.as_ref()?.join(format!("{name}.png")))
    }
}

/// File that receipts are appended to, one line of JSON each.
pub struct ReceiptsFile {
    path: PathBuf,
    file: File,
    /// Lines that it had when it was opened.
    lines: HashSet<String>,
}

impl ReceiptsFile {
    /// Opens the file, or creates it. A last line that a killed process left incomplete is removed. Pipes and
    /// devices are only written to: reading one may never end.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn open(path: &Path) -> Result<Self, CliError> {
        let open = || {
            let is_regular = fs::metadata(path).map_or(true, |found| found.is_file());
            let mut options = File::options();
            let mut file = options.create(true).read(is_regular).append(true).open(path)?;
            let mut text = String::new();
            if is_regular {
                file.read_to_string(&mut text)?;
            }
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            if whole < text.len() {
                file.set_len(whole as u64)?;
            }
            let lines = text[..whole].lines().map(str::to_owned).collect();
            Ok(Self { path: path.to_owned(), file, lines })
        };
        open().map_err(|error: io::Error| CliError::unwritable(path, error))
    }

    /// Appends a receipt, unless the file had it when it was opened.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn append(&mut self, receipt: &SignedReceipt) -> Result<(), CliError> {
        let line = json_line(&ReceiptParts::from(receipt));
        if self.lines.contains(line.trim_end()) {
            return Ok(());
        }
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|error| CliError::unwritable(&self.path, error))
    }

    /// Makes the file durable.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    fn sync(&self) -> Result<(), CliError> {
        self.file.sync_data().map_err(|error| CliError::unwritable(&self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(position: u32) -> SignedReceipt {
        let parts = format!(
            r#"{{"digest":"{zero}","channel":"11111111111111111111111111111111","opened_slot":1,
                "statement":0,"position":{position},"license":0,"units":1,"terms_number":1,"amount":"7",
                "cumulative":"7","work":"11111111111111111111111111111111",
                "request_digest":"{zero}","output_digest":"{zero}","issued_at":1,
                "signature":"{zero}{zero}"}}"#,
            zero = "0".repeat(64)
        );
        let parts: ReceiptParts = serde_json::from_str(&parts).unwrap();
        SignedReceipt::from(&parts)
    }

    #[test]
    fn device_is_not_read() {
        // It reads as zeros without end, and takes no byte.
        let mut file = ReceiptsFile::open(Path::new("/dev/full")).unwrap();
        let refused = file.append(&receipt(0)).unwrap_err();
        assert!(matches!(refused, CliError::Unwritable { .. }), "{refused}");
    }

    #[test]
    fn torn_line_is_repaired() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("receipts.jsonl");
        for position in 0..2 {
            ReceiptsFile::open(&path).unwrap().append(&receipt(position)).unwrap();
        }
        let whole = fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in [0, 1, first - 1, first, first + 1, whole.len() - 1, whole.len()] {
            fs::write(&path, &whole[..length]).unwrap();
            let mut file = ReceiptsFile::open(&path).unwrap();
            // All receipts of the payer's state, of which some are in the file.
            (0..2).for_each(|position| file.append(&receipt(position)).unwrap());
            assert_eq!(fs::read(&path).unwrap(), whole, "{length}");
        }
    }
}
