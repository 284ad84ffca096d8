use std::io::Cursor;

use c2pa::{Builder, DigitalSourceType, HashRange, assertions::DataHash};
use serde_json::{Value, json};

use motif_fingerprint::content_digest;
use motif_wire::{Credentials, CredentialsState, Origin, Provenance, content_url};

use super::{Carrier, SigningIdentity, reader};

/// Errors of [`sign`].
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// Error returned when the file format cannot carry credentials.
    #[error("unsupported format: expected JPEG, PNG, WebP, WAV or MP3")]
    NoCarrier,
    /// Error returned when the file is signed already. A second signature would change the bare
    /// content.
    #[error("the file has content credentials already")]
    AlreadySigned,
    /// Error returned when provenance or receipt are for other content.
    #[error("provenance or receipt are for other content")]
    OtherContent,
    /// Error returned when the bare content could not be restored from the signed file.
    #[error("signing would change other parts of the file: re-encode it without metadata")]
    NotRecoverable,
    /// Error returned when the signed file does not validate, for example because of an expired
    /// certificate.
    #[error("the signed file does not validate: {0}")]
    Unacceptable(String),
    /// Error returned when an MP3 has a tag that nothing can be added to.
    #[error(
        "the MP3's ID3 tag {0}, so nothing can be added to it: save the tag as version 2.3 or 2.4 first"
    )]
    UnsupportedTag(&'static str),
    /// Error returned when c2pa cannot sign the file.
    #[error("cannot sign the file: {0}")]
    Refused(String),
}

/// Signs a file: embeds `provenance` and `mining`, an assertion of `motif_sdk::terms::cawg`, signed
/// by `identity`. The returned file was read back and validated.
///
/// # Errors
/// [`SigningError`].
pub fn sign(
    content: &[u8],
    title: &str,
    provenance: &Provenance,
    mining: Option<&Value>,
    identity: &SigningIdentity,
) -> Result<Vec<u8>, SigningError> {
    let carrier = Carrier::detect(content).ok_or(SigningError::NoCarrier)?;
    if carrier.bare(content).is_some() {
        return Err(SigningError::AlreadySigned);
    }
    if let Some(fault) = carrier.tag_fault(content) {
        return Err(SigningError::UnsupportedTag(fault));
    }
    let digest = content_digest(content);
    let receipt_fits = provenance.receipt.is_none_or(|receipt| receipt.output_digest.0 == digest);
    if provenance.content_digest.0 != digest || !receipt_fits || !provenance.is_readable() {
        return Err(SigningError::OtherContent);
    }
    let signed = embed(content, carrier, title, provenance, mining, identity);
    let signed = signed.map_err(|error| SigningError::Refused(error.to_string()))?;
    if carrier.bare(&signed).as_deref() != Some(content) {
        return Err(SigningError::NotRecoverable);
    }
    match reader::read(&signed, None) {
        Some(Credentials { state: CredentialsState::Intact, provenance: Some(read), .. })
            if read == *provenance =>
        {
            Ok(signed)
        }
        Some(Credentials { faults, .. }) => Err(SigningError::Unacceptable(faults.join(", "))),
        None => Err(SigningError::Unacceptable("nothing was written".to_owned())),
    }
}

fn embed(
    content: &[u8],
    carrier: Carrier,
    title: &str,
    provenance: &Provenance,
    mining: Option<&Value>,
    identity: &SigningIdentity,
) -> c2pa::Result<Vec<u8>> {
    let media_type = carrier.media_type();
    let definition = definition(title, provenance, mining);
    let mut builder = Builder::from_context(reader::offline(None)?).with_definition(definition)?;
    builder.add_assertion(Provenance::LABEL, provenance)?;
    if provenance.origin == Origin::Registered {
        // The manifest makes no claim on how a work was made: it is opened and published.
        let parent = json!({ "title": title, "relationship": "parentOf", "label": PARENT });
        let mut source = Cursor::new(content);
        builder.add_ingredient_from_stream(parent.to_string(), media_type, &mut source)?;
    }
    if carrier == Carrier::Mp3 {
        return embed_in_tag(content, carrier, &mut builder, identity);
    }
    let (mut source, mut signed) = (Cursor::new(content), Cursor::new(Vec::new()));
    builder.sign(identity.signer.as_ref(), media_type, &mut source, &mut signed)?;
    Ok(signed.into_inner())
}

/// Embeds the manifest store in an ID3 tag. c2pa would rewrite the tag, and the original could not
/// be restored. A placeholder of the same length is inserted first, to hash the rest of the file.
fn embed_in_tag(
    content: &[u8],
    carrier: Carrier,
    builder: &mut Builder,
    identity: &SigningIdentity,
) -> c2pa::Result<Vec<u8>> {
    const STORE: &str = "application/c2pa";

    let signer = identity.signer.as_ref();
    let placeholder = builder.data_hashed_placeholder(signer.reserve_size(), STORE)?;
    let (mut tagged, place) =
        carrier.insert(content, &placeholder).ok_or(c2pa::Error::UnsupportedType)?;
    let mut hash = DataHash::new("jumbf manifest", "sha256");
    hash.add_exclusion(HashRange::new(place.start as u64, place.len() as u64));
    hash.gen_hash_from_stream(&mut Cursor::new(&tagged))?;
    let store = builder.sign_data_hashed_embeddable(signer, &hash, STORE)?;
    if store.len() != place.len() {
        return Err(c2pa::Error::EmbeddingError);
    }
    tagged[place].copy_from_slice(&store);
    Ok(tagged)
}

/// Label by which an action refers to its ingredient.
const PARENT: &str = "work";

fn definition(title: &str, provenance: &Provenance, mining: Option<&Value>) -> Value {
    let (actions, ingredients) = match provenance.origin {
        Origin::Registered => {
            let opened = json!({
                "action": "c2pa.opened",
                "parameters": { "ingredientIds": [PARENT] },
            });
            (json!([opened, { "action": "c2pa.published" }]), Vec::new())
        }
        Origin::Generated => {
            let names: Vec<_> = (0..provenance.works.len()).map(|n| format!("work-{n}")).collect();
            let ingredients = names.iter().zip(&provenance.works).map(|(name, named)| {
                json!({
                    "label": name,
                    "title": format!("Motif work {}", named.work),
                    "format": "application/octet-stream",
                    "relationship": "inputTo",
                    "informational_URI": content_url(&named.content_digest.0),
                })
            });
            let mut created = json!({
                "action": "c2pa.created",
                "digitalSourceType": DigitalSourceType::TrainedAlgorithmicMedia,
            });
            if !names.is_empty() {
                created["parameters"] = json!({ "ingredientIds": names });
            }
            (json!([created]), ingredients.collect())
        }
    };
    let mut assertions =
        vec![json!({ "label": "c2pa.actions.v2", "data": { "actions": actions } })];
    assertions.extend(mining.cloned());
    json!({
        "title": title,
        "claim_generator_info": [{ "name": "Motif", "version": env!("CARGO_PKG_VERSION") }],
        "assertions": assertions,
        "ingredients": ingredients,
    })
}
