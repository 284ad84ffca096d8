use std::path::{Path, PathBuf};

use clap::Args;
use motif_sdk::{
    Pubkey,
    client::Client,
    licensing::{ModelDeclaration, ParentShare},
    training_set::TrainingSet,
};

use crate::{
    error::CliError,
    reference::{WorkReference, digest_path},
};

/// Facts about a style model.
#[derive(Args)]
#[command(next_help_heading = "Style models")]
pub struct StyleModelArgs {
    /// Name of the adapted base model, as its publisher calls it
    #[arg(long, value_name = "NAME")]
    model_base: Option<String>,

    /// Training files, or folders of them, whose Merkle root goes on chain [default: the parents'
    /// content]
    #[arg(long, value_name = "FILE|DIR", value_delimiter = ',', conflicts_with = "training_root")]
    training: Vec<PathBuf>,

    /// Merkle root of the training set, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = parse_root)]
    training_root: Option<[u8; 32]>,

    /// Your style model that this one replaces, an address or a file
    #[arg(long, value_name = "WORK")]
    previous_model: Option<WorkReference>,

    /// Declare that the model can reproduce a person's likeness. Requires --consent
    #[arg(long)]
    likeness: bool,
}

/// Style model's part of a registration.
pub struct StyleModel {
    pub args: ModelDeclaration,
    pub previous: Option<Pubkey>,
}

impl StyleModelArgs {
    /// Checks that the options fit the kind of work.
    ///
    /// # Errors
    /// [`CliError::Usage`].
    pub fn check(&self, is_style_model: bool, has_consent: bool) -> Result<(), CliError> {
        let is_given = self.model_base.is_some()
            || !self.training.is_empty()
            || self.training_root.is_some()
            || self.previous_model.is_some()
            || self.likeness;
        match (is_style_model, &self.model_base) {
            (true, None) => Err(CliError::usage(
                "a style model requires the name of its base model",
                "pass --model-base, such as --model-base stable-diffusion-xl",
            )),
            (false, _) if is_given => Err(CliError::usage(
                "options for style models require --kind style-model",
                "leave these options out, or pass --kind style-model",
            )),
            _ if self.likeness && !has_consent => Err(CliError::usage(
                "a model of a person's likeness requires that person's consent",
                "pass the person's keypair with --consent FILE",
            )),
            _ => Ok(()),
        }
    }

    /// Returns the style model, or `None` for another kind of work.
    ///
    /// # Errors
    /// [`CliError::Unreadable`]; as [`WorkReference::address`].
    pub async fn model(
        &self,
        parents: &[ParentShare],
        client: &Client,
    ) -> Result<Option<StyleModel>, CliError> {
        let Some(base_model) = self.model_base.clone() else { return Ok(None) };
        let training_root = match self.training_root {
            Some(root) => root,
            None if self.training.is_empty() => parents_root(parents, client).await?,
            None => files_root(&self.training)?,
        };
        let previous = match &self.previous_model {
            Some(reference) => Some(reference.address(client).await?),
            None => None,
        };
        let args = ModelDeclaration { base_model, training_root, likeness: self.likeness };
        Ok(Some(StyleModel { args, previous }))
    }
}

async fn parents_root(parents: &[ParentShare], client: &Client) -> Result<[u8; 32], CliError> {
    let mut digests = Vec::with_capacity(parents.len());
    for parent in parents {
        digests.push(client.work(&parent.work).await?.content_digest);
    }
    Ok(TrainingSet::new(digests).root())
}

fn files_root(paths: &[PathBuf]) -> Result<[u8; 32], CliError> {
    let mut digests = Vec::new();
    for path in paths {
        add(path, &mut digests)?;
    }
    Ok(TrainingSet::new(digests).root())
}

/// Adds a file, or all files below a folder. Symbolic links are skipped.
fn add(path: &Path, digests: &mut Vec<[u8; 32]>) -> Result<(), CliError> {
    let unreadable = |error: std::io::Error| CliError::unreadable(path, error);
    if !path.is_dir() {
        digests.push(digest_path(path)?);
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_type().map_err(unreadable)?.is_symlink() {
            add(&entry.path(), digests)?;
        }
    }
    Ok(())
}

fn parse_root(text: &str) -> Result<[u8; 32], &'static str> {
    let mut root = [0; 32];
    let read = hex::decode_to_slice(text, &mut root);
    read.map(|()| root).map_err(|_| "expected 64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_stands_for_all_files_below_it() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let (one, two) = (folder.path().join("one"), inner.join("two"));
        std::fs::write(&one, "1").unwrap();
        std::fs::write(&two, "2").unwrap();
        let listed = files_root(&[two, one]).unwrap();
        assert_eq!(files_root(&[folder.path().to_owned()]).unwrap(), listed);
        assert!(files_root(&[folder.path().join("three")]).is_err());
    }
}
