use std::{io::Cursor, time::Duration};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use motif_gateway::GatewayConfig;
use motif_sdk::{
    Pubkey,
    fingerprint::{content_digest, decode_image, none, read_text},
    gateway::wire::{Authentication, AuthenticationRequest, Digest, Discovery, FingerprintParts},
    licensing::{Fingerprint, Work, WorkKind},
};
use reqwest::{Method, StatusCode};

use crate::{
    works::{WORK, publish},
    world::{Answer, Network, World, with_admin},
};

const OTHER: Pubkey = Pubkey::new_from_array([33; 32]);

pub fn picture(seed: u32) -> DynamicImage {
    let waves = |x: u32, y: u32| {
        let (x, y, seed) = (x as f32 / 37.0, y as f32 / 23.0, seed as f32);
        let level = (x * seed).sin() + (y + seed).cos() + (x * y / seed).sin();
        Rgb([(level * 40.0 + 120.0) as u8, (y * 9.0) as u8, (x * 11.0) as u8])
    };
    DynamicImage::ImageRgb8(RgbImage::from_fn(320, 240, waves))
}

pub fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Content of [`WORK`], and of `OTHER`, which is registered later.
pub fn register(world: &World, content: &[u8], fingerprint: Fingerprint) {
    publish(world);
    let mut state = world.chain.state();
    let work = state.works.get_mut(&WORK).unwrap();
    (work.content_digest, work.fingerprint) = (content_digest(content), fingerprint);
    let later = Work { registered_at: 5, kind: WorkKind::Text, latest_terms: 0, ..work.clone() };
    state.works.insert(OTHER, later);
}

/// Starts a gateway after works were registered.
pub async fn knowing(content: &[u8], fingerprint: Fingerprint) -> World {
    let world = World::new().await;
    register(&world, content, fingerprint);
    until(&world, |answer| answer.works == 2).await;
    world
}

/// Waits until the index has the expected works.
pub async fn until(world: &World, is_so: impl Fn(&Authentication) -> bool) {
    let request = AuthenticationRequest {
        digest: Digest([9; 32]),
        bare_digest: None,
        fingerprints: Vec::new(),
    };
    for _ in 0..600 {
        let asked = world.client().authenticate(&request).await;
        if asked.is_ok_and(|answer| is_so(&answer)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the index never was as expected");
}

async fn post(world: &World, kind: &str, body: Vec<u8>) -> Answer {
    let url = format!("{}/v1/authenticate", world.gateway.url());
    Answer::to(reqwest::Client::new().post(url).header("content-type", kind).body(body)).await
}

#[tokio::test]
async fn work_is_recognized_by_digest() {
    let png = encoded(&picture(2), ImageFormat::Png);
    let fingerprint = decode_image(&png).unwrap().fingerprint;
    let world = knowing(&png, fingerprint).await;
    let answer = world.client().authenticate_content(png).await.unwrap();
    let exact: Vec<_> = answer.exact.iter().map(|work| work.work.0).collect();
    assert_eq!((exact, answer.conflict), (vec![WORK, OTHER], true), "the first comes first");
    assert_eq!(answer.exact[0].terms.as_ref().unwrap().uses[0].price.0, 101);
    assert_eq!(answer.media_type.as_deref(), Some("image/png"));
    assert!(answer.alike.is_empty() && answer.receipts.is_empty() && !answer.truncated);
}

#[tokio::test]
async fn resized_jpeg_is_recognized() {
    let png = encoded(&picture(2), ImageFormat::Png);
    let world = knowing(&png, decode_image(&png).unwrap().fingerprint).await;
    let smaller = picture(2).resize(160, 120, image::imageops::FilterType::Triangle);
    let smaller = encoded(&smaller, ImageFormat::Jpeg);
    let answer = world.client().authenticate_content(smaller.clone()).await.unwrap();
    assert!(answer.exact.is_empty() && !answer.conflict);
    let alike: Vec<_> = answer.alike.iter().map(|alike| alike.work.work.0).collect();
    assert_eq!(alike, [WORK, OTHER]);
    let nearest = &answer.alike[0];
    assert_eq!((nearest.scheme, nearest.distance_at_most), (5, 256));
    assert!(nearest.distance < 16, "{nearest:?}");
    assert!(motif_sdk::gateway::confidence(nearest).is_some(), "{nearest:?}");

    // The same without the content.
    let probes = decode_image(&smaller).unwrap().probes;
    let fingerprints = probes.iter().map(FingerprintParts::from).collect();
    let digest = Digest(content_digest(&smaller));
    let asked = AuthenticationRequest { digest, bare_digest: None, fingerprints };
    let again = world.client().authenticate(&asked).await.unwrap();
    assert_eq!(again.alike, answer.alike);
    assert_eq!(again.media_type, None, "only its owner knows");

    let other = encoded(&picture(5), ImageFormat::Png);
    let answer = world.client().authenticate_content(other).await.unwrap();
    assert!(answer.exact.is_empty() && answer.alike.is_empty());
}

#[tokio::test]
async fn text_case_and_spaces_are_ignored() {
    let text = "Whoever made the work is paid to the unit, and whoever made what it was made \
        from is paid as well.";
    let world = knowing(text.as_bytes(), read_text(text.as_bytes()).unwrap().unwrap()).await;
    let shouted = text.to_uppercase().replace(' ', "\n\n").into_bytes();
    let answer = world.client().authenticate_content(shouted).await.unwrap();
    assert_eq!((answer.alike[0].distance, answer.alike[0].scheme), (0, 4));
}

#[tokio::test]
async fn undecodable_file_is_found_by_digest() {
    let mut torn = encoded(&picture(2), ImageFormat::Png);
    torn.truncate(torn.len() / 2);
    let world = knowing(&torn, none()).await;
    let answer = world.client().authenticate_content(torn.clone()).await.unwrap();
    assert_eq!(answer.exact.len(), 2);
    assert!(answer.unreadable.unwrap().contains("corrupt image"));
    torn.pop();
    post(&world, "image/png", torn).await.assert_problem(422, "content-unreadable");
}

#[tokio::test]
async fn malformed_authentication_is_rejected() {
    let world = knowing(b"a work", none()).await;
    let json = "application/json";
    post(&world, json, b"{}".to_vec()).await.assert_problem(400, "malformed-json");
    let probe = FingerprintParts { scheme: 2, bits: Digest([0; 32]) };
    let many = AuthenticationRequest {
        digest: Digest([0; 32]),
        bare_digest: None,
        fingerprints: vec![probe; 65],
    };
    let many = serde_json::to_vec(&many).unwrap();
    post(&world, json, many).await.assert_problem(422, "too-many-fingerprints");
    let endless = vec![b' '; motif_sdk::fingerprint::MAX_CONTENT_BYTES + 1];
    post(&world, "text/plain", endless).await.assert_problem(413, "body-too-large");
    let long = vec![b' '; 65 * 1_024];
    post(&world, json, long).await.assert_problem(413, "body-too-large");
    let url = format!("{}/v1/authenticate", world.gateway.url());
    let packed = reqwest::Client::new().post(url).header("content-encoding", "gzip").body("x");
    Answer::to(packed).await.assert_problem(415, "encoded-body");
    let nothing = post(&world, "application/octet-stream", Vec::new()).await;
    nothing.assert_problem(422, "content-unreadable");
}

#[tokio::test]
async fn output_leads_to_its_receipt() {
    let world = World::new().await;
    let mut request = world.next_request().await;
    request.output_digest = Digest(content_digest(b"an output"));
    world.generate("the-first-key", &request).await.assert_ok();
    until(&world, |_| true).await;
    let answer = world.client().authenticate_content(b"an output".to_vec()).await.unwrap();
    let [found] = answer.receipts[..] else { panic!("{:?}", answer.receipts) };
    assert_eq!((found.receipt.output_digest, found.settled), (request.output_digest, false));
    world.settle().await.unwrap();
    let answer = world.client().authenticate_content(b"an output".to_vec()).await.unwrap();
    assert!(answer.receipts[0].settled);
    let proof = world.client().proof(&answer.receipts[0].receipt.digest.0).await.unwrap();
    assert_eq!(proof.receipt, answer.receipts[0].receipt);
    let other = world.client().authenticate_content(b"another".to_vec()).await.unwrap();
    assert!(other.receipts.is_empty());
}

#[tokio::test]
async fn recognition_waits_for_first_read() {
    let world = knowing(b"a work", none()).await;
    world.chain.network(Network::Down);
    let world = world.restarted(true).await;
    let asked = world.client().authenticate_content(b"a work".to_vec()).await.unwrap_err();
    assert_eq!(asked.slug(), Some("recognition-not-ready"));
    world.chain.network(Network::Up);
    until(&world, |answer| answer.works == 2).await;

    // A changed snapshot is ignored, and costs only time.
    let mut name = world.store().into_os_string();
    name.push(".works");
    std::fs::write(&name, b"nonsense").unwrap();
    let world = world.restarted(true).await;
    until(&world, |answer| answer.works == 2).await;
    assert!(std::fs::read(name).unwrap().len() > 2 * 100, "it was written anew");
}

#[tokio::test]
async fn terms_are_public_with_keys_required() {
    let required = |config: &mut GatewayConfig| {
        with_admin(config);
        config.api_keys_required = true;
        config.public_url = Some("https://gateway.example".to_owned());
    };
    let world = World::unopened(required).await;
    register(&world, b"a work", none());
    let get = |path: &'static str| world.send(Method::GET, path, None, None);
    let robots = get("/robots.txt").await;
    assert_eq!(robots.status, StatusCode::OK);
    let license = "License: https://gateway.example/rsl.xml\n";
    assert!(robots.text().starts_with(license), "{}", robots.text());
    let known: Discovery =
        serde_json::from_slice(&get("/.well-known/motif.json").await.body).unwrap();
    assert_eq!(known.works, "https://gateway.example/v1/works");
    let rsl = get("/rsl.xml").await;
    assert_eq!(rsl.kind, "application/rsl+xml");
    assert_eq!(rsl.text().matches("<content url=\"ni:///sha-256;").count(), 1, "{}", rsl.text());
    assert!(rsl.text().contains("<permits type=\"usage\">ai-input</permits>"));
    assert!(!get("/rsl.xml?offset=1").await.text().contains("<content"));
    get("/rsl.xml?kind=sculpture").await.assert_problem(400, "invalid-query");
    get("/v1/works").await.assert_ok();
    until(&world, |answer| answer.works == 2).await;
    let answer = world.client().authenticate_content(b"a work".to_vec()).await.unwrap();
    assert_eq!(answer.exact.len(), 2);
}

#[tokio::test]
async fn forged_host_is_not_echoed() {
    let world = World::new().await;
    let url = format!("{}/robots.txt", world.gateway.url());
    let asked = reqwest::Client::new().get(url).header("host", "a\"b<c>.example");
    let answer = Answer::to(asked).await;
    assert!(!answer.text().contains('<') && !answer.text().contains('"'), "{}", answer.text());
}

#[tokio::test]
async fn equal_times_have_no_first_work() {
    let text = b"Nobody can tell which of these was registered first.".to_vec();
    let world = knowing(&text, none()).await;
    let answer = world.client().authenticate_content(text.clone()).await.unwrap();
    assert!(answer.conflict && !answer.first_unknown, "one is earlier by a second or more");
    world.chain.state().works.get_mut(&WORK).unwrap().registered_at = 5;
    let answer = world.client().authenticate_content(text).await.unwrap();
    assert!(answer.conflict && answer.first_unknown);
}

#[tokio::test]
async fn slow_uploads_block_no_others() {
    use tokio::{io::AsyncWriteExt, net::TcpStream};

    let content = b"a text of a few words".to_vec();
    let world = knowing(&content, none()).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut socket = TcpStream::connect(world.gateway.local_addr()).await.unwrap();
        let head = "POST /v1/authenticate HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\na";
        socket.write_all(head.as_bytes()).await.unwrap();
        slow.push(socket);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = world.client().authenticate_content(content).await.unwrap();
    assert_eq!(answer.exact.len(), 2);
}
