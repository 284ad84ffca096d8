//! Content credentials, checked against chain and receipts.

use image::ImageFormat;
use motif_sdk::{
    credentials::{
        CredentialsState, NamedWork, Provenance, ReceiptStanding, SigningIdentity, WorkStanding,
        sign,
    },
    fingerprint::{content_digest, decode_image, none},
    gateway::wire::{Address, CredentialsFacts, Digest},
    receipt::SignedReceipt,
};

use crate::{
    recognition::{encoded, knowing, picture, until},
    works::WORK,
    world::World,
};

/// Returns the chain of these tests.
const CLUSTER: [u8; 32] = [3; 32];

fn identity() -> SigningIdentity {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    SigningIdentity::issue("A platform", now).unwrap().identity().unwrap()
}

fn signed(content: &[u8], provenance: &Provenance) -> Vec<u8> {
    sign(content, "a picture", provenance, None, &identity()).unwrap()
}

async fn said(world: &World, content: Vec<u8>) -> CredentialsFacts {
    let answer = world.client().authenticate_content(content).await.unwrap();
    answer.credentials.unwrap()
}

fn standings(facts: &CredentialsFacts) -> (Option<ReceiptStanding>, Vec<WorkStanding>) {
    let findings = facts.findings.as_ref().unwrap();
    let receipt = findings.receipt.as_ref().map(|finding| finding.standing);
    (receipt, findings.works.iter().map(|finding| finding.standing).collect())
}

#[tokio::test]
async fn signed_copy_is_recognized() {
    let png = encoded(&picture(2), ImageFormat::Png);
    let world = knowing(&png, decode_image(&png).unwrap().fingerprint).await;
    let provenance = Provenance::from_work(CLUSTER, &WORK, content_digest(&png), Some(1));
    let copy = signed(&png, &provenance);
    let answer = world.client().authenticate_content(copy.clone()).await.unwrap();
    assert_eq!((answer.exact[0].work.0, answer.alike.len()), (WORK, 0));
    let facts = answer.credentials.unwrap();
    assert_eq!(
        (facts.state, facts.bare_digest.0),
        (CredentialsState::Intact, content_digest(&png))
    );
    assert!(!facts.signer.as_ref().unwrap().trusted, "no trust anchor was configured");
    assert_eq!(standings(&facts), (None, vec![WorkStanding::Confirmed]));

    // Another picture, signed as if it were the work.
    let other = encoded(&picture(5), ImageFormat::Png);
    let claimed = Provenance::from_work(CLUSTER, &WORK, content_digest(&other), Some(1));
    let facts = said(&world, signed(&other, &claimed)).await;
    assert_eq!(facts.state, CredentialsState::Intact, "the signature itself is valid");
    assert_eq!(standings(&facts), (None, vec![WorkStanding::OtherContent]));

    // Without credentials and re-encoded, it is still similar to the work.
    let stripped = image::load_from_memory(&copy).unwrap();
    let stripped = encoded(&stripped, ImageFormat::Jpeg);
    let answer = world.client().authenticate_content(stripped).await.unwrap();
    assert_eq!((answer.credentials, answer.alike[0].work.work.0), (None, WORK));
}

#[tokio::test]
async fn output_names_its_receipt() {
    let world = World::new().await;
    let output = encoded(&picture(3), ImageFormat::Png);
    let mut request = world.next_request().await;
    request.output_digest = Digest(content_digest(&output));
    world.generate("the-first-key", &request).await.assert_ok();
    until(&world, |_| true).await;
    let bare = world.client().authenticate_content(output.clone()).await.unwrap();
    let receipt = SignedReceipt::from(&bare.receipts[0].receipt);
    let work = Address(receipt.receipt.work);
    let named = NamedWork { work, content_digest: Digest([0; 32]), terms_number: Some(1) };
    let provenance = Provenance::from_output(CLUSTER, content_digest(&output), vec![named]);
    let honest = signed(&output, &provenance.clone().with_receipt(&receipt));
    let answer = world.client().authenticate_content(honest.clone()).await.unwrap();
    assert_eq!(answer.receipts, bare.receipts, "found by the bare content");
    let (standing, _) = standings(&answer.credentials.unwrap());
    assert_eq!(standing, Some(ReceiptStanding::Signed));

    // A changed receipt, a changed pixel.
    let mut cheaper = receipt;
    cheaper.receipt.amount = 1;
    let forged = signed(&output, &provenance.with_receipt(&cheaper));
    let facts = said(&world, forged).await;
    assert_eq!(
        (facts.state, standings(&facts).0),
        (CredentialsState::Intact, Some(ReceiptStanding::False))
    );
    let mut changed = honest;
    let last = changed.len() - 40;
    changed[last] ^= 1;
    let facts = said(&world, changed).await;
    assert_eq!(
        (facts.state, standings(&facts).0),
        (CredentialsState::Altered, Some(ReceiptStanding::OtherOutput))
    );
}

#[tokio::test]
async fn bare_manifest_is_reported() {
    let png = encoded(&picture(2), ImageFormat::Png);
    let world = knowing(b"a work", none()).await;
    let provenance = Provenance::from_work(CLUSTER, &WORK, content_digest(&png), None);
    let mut torn = signed(&png, &provenance);
    torn.truncate(torn.len() - 100);
    let answer = world.client().authenticate_content(torn).await.unwrap();
    assert!(answer.unreadable.unwrap().contains("image"));
    // The library rejects a truncated PNG as well.
    assert_eq!(answer.credentials.unwrap().state, CredentialsState::Unreadable);
}
