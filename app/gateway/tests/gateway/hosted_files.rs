//! Metadata and pictures: only what a work on chain names, and nothing that runs as a page.

use std::{
    io::Cursor,
    path::Path,
    time::{Duration, SystemTime},
};

use image::{DynamicImage, ImageFormat};
use motif_gateway::config::HostingConfig;
use motif_sdk::{Pubkey, fingerprint::content_digest, gateway::wire::Digest};
use reqwest::{Client, Method};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    works::{WORK, publish},
    world::{Answer, World},
};

async fn hosting(folder: &Path, keep_bytes: u64) -> World {
    let folder = folder.join("hosted");
    let world = World::with(|config| {
        config.hosting = Some(HostingConfig { folder, keep_bytes });
        config.catalogue_seconds = 0;
    })
    .await;
    publish(&world);
    world
}

async fn world() -> (World, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (hosting(folder.path(), 1 << 20).await, folder)
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(content_digest(bytes))
}

fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::new_rgb8(600, 300)
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .unwrap();
    bytes
}

fn metadata(preview: &[u8]) -> Vec<u8> {
    let preview = digest(preview);
    json!({ "motif": 1, "title": "Coffee", "preview": preview }).to_string().into_bytes()
}

/// Makes the work name a document on chain.
fn name(world: &World, document: &[u8]) {
    let digest = content_digest(document);
    world.chain.state().works.get_mut(&WORK).unwrap().metadata_digest = digest;
}

async fn put(world: &World, kind: &str, digest: &Digest, work: &Pubkey, body: &[u8]) -> Answer {
    let url = format!("{}/v1/{kind}/{digest}?work={work}", world.gateway.url());
    Answer::to(Client::new().put(url).body(body.to_vec())).await
}

async fn host(world: &World, kind: &str, body: &[u8]) -> Answer {
    put(world, kind, &digest(body), &WORK, body).await
}

async fn get(world: &World, path: &str) -> Answer {
    world.send(Method::GET, path, None, None).await
}

#[tokio::test]
async fn named_metadata_and_picture_are_hosted() {
    let (world, _folder) = world().await;
    let picture = picture();
    let document = metadata(&picture);
    name(&world, &document);
    assert_eq!(host(&world, "metadata", &document).await.status, 201);
    assert_eq!(host(&world, "metadata", &document).await.status, 200);
    assert_eq!(host(&world, "previews", &picture).await.status, 201);
    let shown = get(&world, &format!("/v1/metadata/{}", digest(&document))).await;
    assert_eq!((&shown.body, &shown.kind[..]), (&document, "application/json"));
    let path = format!("/v1/previews/{}", digest(&picture));
    for (size, side) in [("", 600), ("?size=large", 600), ("?size=small", 256)] {
        let shown = get(&world, &format!("{path}{size}")).await;
        assert_eq!(shown.kind, "image/jpeg");
        assert_eq!(shown.headers["x-content-type-options"], "nosniff");
        assert_eq!(image::load_from_memory(&shown.body).unwrap().width(), side);
    }
    let page = get(&world, &format!("/w/{WORK}")).await.text();
    assert!(
        page.contains(&format!("og:image\" content=\"{}{path}", world.gateway.url())),
        "{page}"
    );
}

#[tokio::test]
async fn unnamed_uploads_are_rejected() {
    let (world, folder) = world().await;
    let picture = picture();
    let document = metadata(&picture);
    host(&world, "metadata", &document).await.assert_problem(409, "not-named");
    let unknown = Pubkey::new_from_array([99; 32]);
    let answer = put(&world, "metadata", &digest(&document), &unknown, &document).await;
    answer.assert_problem(404, "unknown-work");
    name(&world, &document);
    let answer = put(&world, "metadata", &digest(b"other"), &WORK, &document).await;
    answer.assert_problem(422, "wrong-digest");
    host(&world, "previews", &picture).await.assert_problem(404, "not-hosted");
    assert_eq!(host(&world, "metadata", &document).await.status, 201);
    host(&world, "previews", b"another picture").await.assert_problem(409, "not-named");
    let hosted = std::fs::read_dir(folder.path().join("hosted")).unwrap().count();
    assert_eq!(hosted, 1, "no picture was written");
}

#[tokio::test]
async fn hostile_content_is_never_served() {
    let (world, _folder) = world().await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let html = b"<!doctype html><script>alert(1)</script>";
    for content in [&svg[..], html, b"GIF89a<script>", b"\x89PNG\r\n\x1a\n<script>"] {
        let document = metadata(content);
        name(&world, &document);
        assert_eq!(host(&world, "metadata", &document).await.status, 201);
        host(&world, "previews", content).await.assert_problem(422, "content-unreadable");
        let path = format!("/v1/previews/{}", digest(content));
        get(&world, &path).await.assert_problem(404, "not-hosted");
    }
    for content in [&svg[..], html, b"{}", br#"{"motif":1,"evil":1}"#] {
        name(&world, content);
        host(&world, "metadata", content).await.assert_problem(422, "invalid-metadata");
    }
    for path in ["/v1/metadata/..%2fmetadata", "/v1/previews/%2e%2e"] {
        assert!(get(&world, path).await.status.is_client_error(), "{path}");
    }
}

#[tokio::test]
async fn oversized_uploads_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let world = hosting(folder.path(), 200).await;
    let long = vec![b' '; 16 * 1_024 + 1];
    name(&world, &long);
    host(&world, "metadata", &long).await.assert_problem(413, "body-too-large");
    let large = vec![0; 4 * 1_024 * 1_024 + 1];
    host(&world, "previews", &large).await.assert_problem(413, "body-too-large");
    let text = "a description ".repeat(20);
    let document = json!({ "motif": 1, "description": text }).to_string().into_bytes();
    name(&world, &document);
    host(&world, "metadata", &document).await.assert_problem(503, "hosting-full");
    let short = br#"{"motif":1}"#;
    name(&world, short);
    assert_eq!(host(&world, "metadata", short).await.status, 201);
}

/// Has a file's writes fail as on a full disk.
fn fill(folder: &Path, kind: &str, file: &str) {
    let folder = folder.join("hosted").join(kind);
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.join(file)).unwrap();
}

fn files(folder: &Path, kind: &str) -> usize {
    std::fs::read_dir(folder.join("hosted").join(kind)).unwrap().count()
}

#[tokio::test]
async fn full_disk_is_named_and_leaves_no_file() {
    let (world, folder) = world().await;
    let picture = picture();
    let document = metadata(&picture);
    name(&world, &document);
    let refused = |answer: &Answer| {
        answer.assert_problem(503, "hosting-full");
        let detail = answer.problem().detail;
        assert!(detail.contains("disk") && detail.contains("nothing was stored"), "{detail}");
    };
    // What a killed process has left takes up no room.
    let left = folder.path().join("hosted/pictures/left.partial");
    std::fs::create_dir_all(left.parent().unwrap()).unwrap();
    std::fs::write(&left, vec![0; 1 << 20]).unwrap();
    let left = std::fs::File::options().write(true).open(&left).unwrap();
    left.set_modified(SystemTime::now() - Duration::from_secs(3_600)).unwrap();
    fill(folder.path(), "metadata", &format!("{}.partial", digest(&document)));
    refused(&host(&world, "metadata", &document).await);
    assert_eq!((files(folder.path(), "metadata"), files(folder.path(), "pictures")), (0, 0));
    // The disk has room again.
    assert_eq!(host(&world, "metadata", &document).await.status, 201);

    // The small picture is written, the large one is not.
    fill(folder.path(), "pictures", &format!("{}-large.partial", digest(&picture)));
    refused(&host(&world, "previews", &picture).await);
    assert_eq!(files(folder.path(), "pictures"), 0);
    get(&world, &format!("/v1/previews/{}", digest(&picture)))
        .await
        .assert_problem(404, "not-hosted");
    assert_eq!(host(&world, "previews", &picture).await.status, 201);
}

#[tokio::test]
async fn badge_is_an_inert_picture() {
    let (world, _folder) = world().await;
    world.chain.state().works.get_mut(&WORK).unwrap().title = "<script>alert(1)</script>".into();
    let badge = get(&world, &format!("/v1/badge/{WORK}.svg")).await;
    badge.assert_ok();
    assert_eq!(badge.kind, "image/svg+xml");
    assert_eq!(badge.headers["content-security-policy"], "default-src 'none'; sandbox");
    assert!(!badge.text().contains("<script"), "{}", badge.text());
    get(&world, "/v1/badge/x.svg").await.assert_problem(400, "invalid-path");
}
