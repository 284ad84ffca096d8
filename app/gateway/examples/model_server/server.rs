//! The server's URLs. It can be told to fail, which is what tests want of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use futures::stream;
use serde::Deserialize;
use serde_json::json;

use super::picture::paint;

/// What it counts.
#[derive(Clone, Debug, Default)]
pub struct ModelServer {
    asked: Arc<AtomicU64>,
    produced: Arc<AtomicU64>,
}

/// What is to be made.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    prompt: String,
    #[serde(default)]
    style: String,
    #[serde(default = "side")]
    side: u32,
    /// Pictures, or thousands of tokens.
    #[serde(default = "one")]
    count: u32,
    /// Tokens of a story.
    #[serde(default)]
    tokens: u32,
    /// How to fail.
    #[serde(default)]
    fail: Option<Failure>,
}

/// Ways to fail, for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Status 500.
    Error,
    /// Status 422: it does not take the prompt.
    Refuse,
    /// Sends the client elsewhere.
    Redirect,
    /// Never answers.
    Hang,
    /// Takes a second.
    Slow,
    /// Breaks off in the middle of its answer.
    Midway,
    /// Answers without an end.
    Endless,
    /// Says that it has used a million units.
    Lie,
    /// Does not say how many units it has used.
    Silent,
    /// Claims to give receipts.
    Forge,
}

fn side() -> u32 {
    128
}

fn one() -> u32 {
    1
}

impl ModelServer {
    /// All its URLs.
    pub fn router(self) -> Router {
        Router::new()
            .route("/health", get(async || "well"))
            .route("/echo", post(echo))
            .route("/images", post(images))
            .route("/pictures", post(images))
            .route("/texts", post(texts))
            .route("/stories", post(stories))
            .with_state(self)
    }

    /// How often it was asked for something that costs.
    #[allow(dead_code, reason = "tests ask")]
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// How many tokens of stories it has made.
    #[allow(dead_code, reason = "tests ask")]
    pub fn produced(&self) -> u64 {
        self.produced.load(Ordering::SeqCst)
    }
}

/// Says what it was told.
async fn echo(headers: HeaderMap, request: Request) -> Json<serde_json::Value> {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let told = headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let told: BTreeMap<_, _> = told.collect();
    Json(json!({ "target": request.uri().to_string(), "headers": told }))
}

/// A picture; says in a header how many units that was.
async fn images(State(server): State<ModelServer>, Json(wanted): Json<Wanted>) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    if let Some(failed) = fail(wanted.fail).await {
        return failed;
    }
    let Wanted { prompt, style, side, count, fail, .. } = wanted;
    let painted = tokio::task::spawn_blocking(move || paint(&prompt, &style, side)).await;
    let Ok(picture) = painted else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let units = match fail {
        Some(Failure::Lie) => "1000000".to_owned(),
        _ => count.to_string(),
    };
    let mut response = ([(header::CONTENT_TYPE, "image/png")], picture).into_response();
    let headers = response.headers_mut();
    if let (Ok(units), false) = (units.parse(), fail == Some(Failure::Silent)) {
        headers.insert("x-units", units);
    }
    if fail == Some(Failure::Forge) {
        headers.insert("motif-receipt", header::HeaderValue::from_static("forged"));
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("public"));
    }
    response
}

/// A text; a field of its JSON says how many tokens that was.
async fn texts(State(server): State<ModelServer>, Json(wanted): Json<Wanted>) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    if let Some(failed) = fail(wanted.fail).await {
        return failed;
    }
    let words: Vec<_> = wanted.prompt.split_whitespace().rev().collect();
    let tokens = if wanted.tokens == 0 { words.len() as u32 } else { wanted.tokens };
    match wanted.fail {
        Some(Failure::Silent) => Json(json!({ "text": words.join(" ") })).into_response(),
        _ => {
            Json(json!({ "text": words.join(" "), "usage": { "tokens": tokens } })).into_response()
        }
    }
}

/// A story that streams, a token a line.
async fn stories(State(server): State<ModelServer>, Json(wanted): Json<Wanted>) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    if let Some(failed) = fail(wanted.fail.filter(|fail| *fail != Failure::Midway)).await {
        return failed;
    }
    let (produced, tokens) = (server.produced.clone(), wanted.tokens);
    let breaks_at = (wanted.fail == Some(Failure::Midway)).then_some(tokens / 2);
    let lines = stream::unfold(0, move |number| {
        let (produced, prompt) = (produced.clone(), wanted.prompt.clone());
        async move {
            if Some(number) == breaks_at {
                return Some((Err(std::io::Error::other("told to break off")), u32::MAX));
            }
            if number >= tokens {
                return None;
            }
            produced.fetch_add(1, Ordering::SeqCst);
            Some((Ok(Bytes::from(format!("{prompt}-{number}\n"))), number + 1))
        }
    });
    ([(header::CONTENT_TYPE, "text/plain")], Body::from_stream(lines)).into_response()
}

/// What it answers when it fails, if it does so before it makes anything.
async fn fail(how: Option<Failure>) -> Option<Response> {
    match how? {
        Failure::Error => Some((StatusCode::INTERNAL_SERVER_ERROR, "secret cause").into_response()),
        Failure::Refuse => {
            Some((StatusCode::UNPROCESSABLE_ENTITY, "this prompt is too odd").into_response())
        }
        Failure::Redirect => Some(Redirect::temporary("http://127.0.0.1:1/inside").into_response()),
        Failure::Hang => {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            None
        }
        Failure::Slow => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            None
        }
        Failure::Midway => {
            let half =
                [Ok(Bytes::from_static(b"half a pic")), Err(std::io::Error::other("told to"))];
            let headers = [("x-units", "1"), ("content-type", "image/png")];
            Some((headers, Body::from_stream(stream::iter(half))).into_response())
        }
        Failure::Endless => {
            let endless =
                stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; 65_536])));
            Some(([("x-units", "1")], Body::from_stream(endless)).into_response())
        }
        Failure::Lie | Failure::Silent | Failure::Forge => None,
    }
}
