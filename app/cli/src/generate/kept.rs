use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use motif_sdk::{gateway::wire::ReceiptParts, receipt::SignedReceipt};

use crate::{credentials::OutputSigner, error::CliError, output::json_line, palette::Palette};

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
    pub fn add(&mut self, receipt: &SignedReceipt, output: Vec<u8>) -> Result<(), CliError> {
        if let Some(file) = &mut self.receipts {
            file.append(receipt)?;
        }
        let Some(folder) = &self.folder else { return Ok(()) };
        let name = format!("{}.png", hex::encode(&receipt.receipt.output_digest[..8]));
        let output = match &self.signer {
            Some(signer) => signer.sign(&output, &name, receipt)?,
            None => output,
        };
        let path = folder.join(name);
        fs::write(&path, output).map_err(|error| CliError::unwritable(&path, error))
    }

    /// Stores the receipt of an earlier run, unless it is stored, and its output.
    ///
    /// # Errors
    /// As [`Kept::add`].
    pub fn add_again(&mut self, receipt: &SignedReceipt) -> Result<(), CliError> {
        if self.receipts.as_ref().is_some_and(|file| file.has(receipt)) {
            return Ok(());
        }
        let output = Palette::PLAIN.render(&receipt.receipt.request_digest);
        self.add(receipt, output)
    }
}

/// File that receipts are appended to, one line of JSON each.
pub struct ReceiptsFile {
    path: PathBuf,
    file: File,
    lines: HashSet<String>,
}

impl ReceiptsFile {
    /// Opens the file, or creates it. A last line that a killed process left incomplete is removed.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn open(path: &Path) -> Result<Self, CliError> {
        let open = || {
            let mut file = File::options().create(true).read(true).append(true).open(path)?;
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            if whole < text.len() {
                file.set_len(whole as u64)?;
            }
            let lines = text[..whole].lines().map(str::to_owned).collect();
            Ok(Self { path: path.to_owned(), file, lines })
        };
        open().map_err(|error: io::Error| CliError::unwritable(path, error))
    }

    /// Returns whether the file had a receipt when it was opened.
    fn has(&self, receipt: &SignedReceipt) -> bool {
        self.lines.contains(json_line(&ReceiptParts::from(receipt)).trim_end())
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
