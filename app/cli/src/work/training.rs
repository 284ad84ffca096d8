use std::path::{Path, PathBuf};

use clap::Args;
use motif_sdk::{
    Pubkey,
    client::Client,
    fingerprint::content_digest,
    licensing::{ModelArgs, ParentShare},
    training_set::TrainingSet,
};

use crate::{
    error::CliError,
    reference::{WorkReference, read_file},
};

/// What a style model says of itself.
#[derive(Args)]
#[command(next_help_heading = "Style models")]
pub struct StyleModelArgs {
    /// The model it adapts, as its publisher calls it.
    #[arg(long, value_name = "NAME")]
    model_base: Option<String>,

    /// Files, or folders of files, that it was trained on; their SHA-256 make a Merkle tree
    /// whose root goes on chain [default: the parents' content].
    #[arg(long, value_name = "FILE|DIR", value_delimiter = ',', conflicts_with = "training_root")]
    training: Vec<PathBuf>,

    /// The root itself, 64 hexadecimal digits.
    #[arg(long, value_name = "HEX", value_parser = parse_root)]
    training_root: Option<[u8; 32]>,

    /// The style model of yours that this one replaces.
    #[arg(long, value_name = "WORK", value_parser = WorkReference::parse)]
    previous_model: Option<WorkReference>,

    /// It can make a person's likeness, so that person has to sign with --consent.
    #[arg(long)]
    likeness: bool,
}

/// A style model's part of a registration.
pub struct StyleModel {
    pub args: ModelArgs,
    pub previous: Option<Pubkey>,
}

impl StyleModelArgs {
    /// Refuses, before a cluster is asked, what no work of this kind can say.
    ///
    /// # Errors
    /// [`CliError::Usage`].
    pub fn check(&self, is_style_model: bool, consents: bool) -> Result<(), CliError> {
        let says_something = self.model_base.is_some()
            || !self.training.is_empty()
            || self.training_root.is_some()
            || self.previous_model.is_some()
            || self.likeness;
        match (is_style_model, &self.model_base) {
            (true, None) => Err(CliError::usage(
                "a style model must say which model it adapts",
                "name it with --model-base, for example --model-base stable-diffusion-xl",
            )),
            (false, _) if says_something => Err(CliError::usage(
                "only a style model adapts a model and was trained on something",
                "leave these flags out, or pass --kind style-model",
            )),
            _ if self.likeness && !consents => Err(CliError::usage(
                "a model that makes a person's likeness needs that person's consent",
                "have the person sign with --consent FILE",
            )),
            _ => Ok(()),
        }
    }

    /// What the model says of itself; `None` for a work that is none.
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
        let args = ModelArgs { base_model, training_root, likeness: self.likeness };
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

/// Adds a file, or everything below a folder. What a link leads to is not followed.
fn add(path: &Path, digests: &mut Vec<[u8; 32]>) -> Result<(), CliError> {
    let unreadable = |error: std::io::Error| CliError::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    if !path.is_dir() {
        digests.push(content_digest(&read_file(path)?));
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

fn parse_root(text: &str) -> Result<[u8; 32], String> {
    let mut root = [0; 32];
    let read = hex::decode_to_slice(text, &mut root);
    read.map(|()| root).map_err(|_| format!("`{text}` is no root; write 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_as_all_the_files_below_it() {
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
